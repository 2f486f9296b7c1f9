-- A context that carries a signature, which a function checks with a key that the application's role cannot read.
CREATE SCHEMA seal AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA seal TO {app};
SET ROLE {owner};
CREATE TABLE seal.key (secret bytea NOT NULL);
CREATE FUNCTION seal.tenant() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  raw text := current_setting('app.tenant_id', true);
  secret bytea;
BEGIN
  SELECT key.secret INTO secret FROM seal.key;
  IF substr(raw, 38) = encode(sha256(secret || sha256(secret || convert_to(left(raw, 36), 'UTF8'))), 'hex') THEN
    RETURN left(raw, 36)::uuid;
  END IF;
  RETURN NULL;
END $$;
ALTER POLICY own ON tenants USING (id = (SELECT seal.tenant()));
ALTER POLICY own ON customers USING (tenant_id = (SELECT seal.tenant()));
ALTER POLICY own ON invoices USING (tenant_id = (SELECT seal.tenant()));
RESET ROLE;
