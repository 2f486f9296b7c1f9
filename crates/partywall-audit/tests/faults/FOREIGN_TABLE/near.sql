CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'elsewhere');
-- Not the application's.
CREATE FOREIGN TABLE invoices_remote (tenant_id uuid NOT NULL, id uuid NOT NULL, note text) SERVER elsewhere;
-- Nobody's rows.
CREATE FOREIGN TABLE currencies (code text NOT NULL, name text NOT NULL) SERVER elsewhere;
GRANT SELECT ON currencies TO {app};
