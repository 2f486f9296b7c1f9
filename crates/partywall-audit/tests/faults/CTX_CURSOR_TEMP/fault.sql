-- prove: cannot: it takes two tenants on one session that was not cleaned
-- PostgreSQL lets everybody make temporary tables: nothing has to be added to the base.
COMMENT ON TABLE invoices IS 'copied into temporary tables';
