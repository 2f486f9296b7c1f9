-- The policies are forced on the owner of this one.
SET ROLE {owner};
CREATE FUNCTION get_invoice(wanted uuid) RETURNS SETOF invoices
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT * FROM invoices WHERE id = wanted
$$;
RESET ROLE;
-- Nobody's rows.
CREATE FUNCTION country_name(wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT name FROM countries WHERE code = wanted
$$;
-- It asks for the tenant itself.
CREATE FUNCTION count_invoices() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
DECLARE
  mine uuid := NULLIF(current_setting('app.tenant_id', true), '')::uuid;
  total bigint;
BEGIN
  SELECT count(*) INTO total
  FROM invoices i JOIN customers c ON c.tenant_id = i.tenant_id AND c.id = i.customer_id
  WHERE i.tenant_id = mine;
  RETURN total;
END
$$;
-- Nobody of the application's may call it.
CREATE FUNCTION all_invoices() RETURNS SETOF invoices
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS 'SELECT * FROM invoices';
REVOKE EXECUTE ON FUNCTION all_invoices() FROM PUBLIC;
