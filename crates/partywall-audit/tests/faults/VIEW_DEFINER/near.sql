-- The owner of this one is bound by the policies: they are forced on it.
SET ROLE {owner};
CREATE VIEW invoice_list AS SELECT tenant_id, id, number, note FROM invoices;
CREATE VIEW customer_invoices AS SELECT c.email, i.number FROM customers c JOIN invoice_list i USING (tenant_id);
GRANT SELECT ON invoice_list, customer_invoices TO {app};
RESET ROLE;
-- Nobody's rows, a view that nobody may read, and one that reads as whoever asks.
CREATE VIEW country_list AS SELECT code, name FROM countries;
GRANT SELECT ON country_list TO {app};
CREATE VIEW every_invoice AS SELECT * FROM invoices;
DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 150000 THEN
    EXECUTE 'CREATE VIEW drafts WITH (security_invoker = true) AS SELECT * FROM invoices WHERE status = ''draft''';
    EXECUTE 'GRANT SELECT ON drafts TO {app}';
  END IF;
END
$$;
