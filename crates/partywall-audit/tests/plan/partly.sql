-- One table has its wall already, another only a policy that nobody switched on.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {app} LOGIN PASSWORD 'secret';
GRANT USAGE ON SCHEMA public TO {app};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
SET ROLE {owner};
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE done (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (tenant_id, id)
);
CREATE TABLE begun (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE done ENABLE ROW LEVEL SECURITY;
ALTER TABLE done FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON done USING (tenant_id = NULLIF(current_setting('my.tenant', true), '')::uuid);
CREATE POLICY own ON begun USING (tenant_id = NULLIF(current_setting('my.tenant', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON done, begun TO {app};
RESET ROLE;
INSERT INTO tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'globex');
INSERT INTO done (tenant_id) SELECT id FROM tenants;
INSERT INTO begun (tenant_id) SELECT id FROM tenants;
