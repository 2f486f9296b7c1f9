-- The tenant has a type of its own.
CREATE DOMAIN tenant_key AS uuid CHECK (VALUE <> '00000000-0000-0000-0000-000000000000');
CREATE TABLE tenants (id tenant_key PRIMARY KEY, name text NOT NULL);
CREATE TABLE notes (
  tenant_id tenant_key NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::tenant_key);
CREATE POLICY own ON notes USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::tenant_key);
GRANT SELECT ON tenants TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
