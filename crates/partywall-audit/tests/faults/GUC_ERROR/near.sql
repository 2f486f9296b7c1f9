-- The guard may be anywhere between the setting and the cast.
ALTER POLICY own ON invoices USING (tenant_id = NULLIF((SELECT current_setting('app.tenant_id', true)), '')::uuid);
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
  raw text := current_setting('app.tenant_id', true);
BEGIN
  IF raw IS NULL OR raw = '' THEN
    RETURN NULL;
  END IF;
  RETURN raw::uuid;
END $$;
ALTER POLICY own ON customers USING (tenant_id = (SELECT current_tenant()));
