-- A schema for each part of the system, tables of the same name in two of them.
RESET ROLE;
CREATE SCHEMA core AUTHORIZATION {owner};
CREATE SCHEMA billing AUTHORIZATION {owner};
CREATE SCHEMA internal AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA core, billing TO {app};
SET ROLE {owner};
CREATE TABLE core.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE core.items (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (tenant_id, id)
);
CREATE TABLE billing.items (
  tenant_id uuid NOT NULL REFERENCES core.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  item_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, item_id) REFERENCES core.items (tenant_id, id)
);
-- Behind a schema that the application may not enter, rights on a table count for nothing.
CREATE TABLE internal.usage (tenant_id uuid NOT NULL, bytes bigint NOT NULL);
GRANT SELECT ON internal.usage TO {app};
ALTER TABLE core.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE core.items ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.items FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.items ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.items FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON core.tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY own ON core.items USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY own ON billing.items USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON core.tenants TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON core.items, billing.items TO {app};
