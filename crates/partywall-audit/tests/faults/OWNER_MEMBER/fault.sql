-- prove: read alter
ALTER TABLE invoices NO FORCE ROW LEVEL SECURITY;
GRANT {owner} TO {app};
