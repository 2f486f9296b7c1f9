-- prove: cannot: the other server is not there
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'elsewhere');
CREATE FOREIGN TABLE invoices_remote (tenant_id uuid NOT NULL, id uuid NOT NULL, note text) SERVER elsewhere;
GRANT SELECT ON invoices_remote TO {app};
