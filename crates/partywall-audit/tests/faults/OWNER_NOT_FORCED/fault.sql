-- prove: read count update delete
ALTER TABLE invoices OWNER TO {app};
ALTER TABLE invoices NO FORCE ROW LEVEL SECURITY;
