-- A partition for each great tenant, one for the rest, and each with the policy of its own as well.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE readings (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  value bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
) PARTITION BY LIST (tenant_id);
CREATE TABLE readings_acme PARTITION OF readings FOR VALUES IN ('aaaaaaaa-0000-0000-0000-000000000000');
CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
ALTER TABLE readings ENABLE ROW LEVEL SECURITY;
ALTER TABLE readings FORCE ROW LEVEL SECURITY;
ALTER TABLE readings_acme ENABLE ROW LEVEL SECURITY;
ALTER TABLE readings_acme FORCE ROW LEVEL SECURITY;
ALTER TABLE readings_rest ENABLE ROW LEVEL SECURITY;
ALTER TABLE readings_rest FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON readings USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY own ON readings_acme USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY own ON readings_rest USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON readings, readings_acme, readings_rest TO {app};
