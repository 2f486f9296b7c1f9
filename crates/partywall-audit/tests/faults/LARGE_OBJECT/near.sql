-- A document is in its row, where the policies are; a number of a table is no document.
ALTER TABLE invoices ADD COLUMN document bytea, ADD COLUMN kept_in oid;
UPDATE invoices SET document = 'of a tenant', kept_in = 'invoices'::regclass;
-- A large object that the application may not read.
SELECT lo_from_bytea(0, 'of the operators');
