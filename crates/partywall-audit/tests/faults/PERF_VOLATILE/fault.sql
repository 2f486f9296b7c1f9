-- prove: cannot: the wall holds
SET ROLE {owner};
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RETURN NULLIF(current_setting('app.tenant_id', true), '')::uuid;
END
$$;
ALTER POLICY own ON invoices USING (tenant_id = current_tenant());
RESET ROLE;
