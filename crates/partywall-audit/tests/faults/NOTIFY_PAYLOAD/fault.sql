-- prove: cannot: a notification is sent when a transaction commits, and these never do
SET ROLE {owner};
CREATE FUNCTION invoice_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  payload text;
BEGIN
  payload := json_build_object('op', TG_OP, 'row', row_to_json(NEW))::text;
  PERFORM pg_notify('invoices', payload);
  RETURN NEW;
END
$$;
CREATE TRIGGER invoice_changed AFTER INSERT OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION invoice_changed();
RESET ROLE;
