-- prove: large-object
ALTER TABLE invoices ADD COLUMN document oid;
UPDATE invoices SET document = lo_from_bytea(0, 'of a tenant');
DO $$
DECLARE
  document oid;
BEGIN
  FOR document IN SELECT i.document FROM invoices i LOOP
    EXECUTE format('ALTER LARGE OBJECT %s OWNER TO {app}', document);
  END LOOP;
END
$$;
