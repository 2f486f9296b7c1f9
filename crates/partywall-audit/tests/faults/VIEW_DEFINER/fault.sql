-- prove: view
-- A view of the superuser's reads as the superuser, for whom no policy holds.
CREATE VIEW invoice_list AS SELECT tenant_id, id, number, note FROM invoices;
GRANT SELECT ON invoice_list TO {app};
