-- prove: prepared
SET ROLE {owner};
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid
$$;
DROP POLICY own ON invoices;
CREATE POLICY own ON invoices USING (tenant_id = (SELECT current_tenant()));
RESET ROLE;
