-- prove: view
CREATE MATERIALIZED VIEW invoice_stats AS
  SELECT tenant_id, status, count(*) AS invoices FROM invoices GROUP BY tenant_id, status;
GRANT SELECT ON invoice_stats TO {app};
