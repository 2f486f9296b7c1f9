-- The other way about: the owner has the application's rights.
ALTER TABLE invoices NO FORCE ROW LEVEL SECURITY;
GRANT {app} TO {owner};
