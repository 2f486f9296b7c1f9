SET ROLE {owner};
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
BEGIN
  RETURN NULLIF(current_setting('app.tenant_id', true), '')::uuid;
END
$$;
ALTER POLICY own ON invoices USING (tenant_id = current_tenant());
-- Called once for a query: the index is used.
CREATE FUNCTION tenant_once() RETURNS uuid LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
  RETURN NULLIF(current_setting('app.tenant_id', true), '')::uuid;
END
$$;
ALTER POLICY own ON customers USING (tenant_id = (SELECT tenant_once()));
RESET ROLE;
