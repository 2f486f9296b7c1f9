-- A signed context, checked by a function with a key that only its owner reads.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE notes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE TABLE seal_keys (id text PRIMARY KEY, secret bytea NOT NULL);
CREATE FUNCTION sealed_tenant() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  raw text := current_setting('app.context', true);
  key bytea;
BEGIN
  SELECT k.secret INTO key FROM public.seal_keys k WHERE k.id = split_part(raw, '.', 1);
  IF key IS NOT NULL
    AND split_part(raw, '.', 3) = encode(sha256(key || sha256(key || convert_to(split_part(raw, '.', 2), 'UTF8'))), 'hex')
  THEN
    RETURN split_part(raw, '.', 2)::uuid;
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION sealed_tenant() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sealed_tenant() TO {app};
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = (SELECT sealed_tenant()));
CREATE POLICY own ON notes USING (tenant_id = (SELECT sealed_tenant()));
GRANT SELECT ON tenants TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
