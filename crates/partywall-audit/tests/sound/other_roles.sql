-- Roles that may a lot, of which the application is no member.
RESET ROLE;
CREATE ROLE {replicator} LOGIN REPLICATION PASSWORD 'secret';
CREATE ROLE {backup} LOGIN BYPASSRLS PASSWORD 'secret';
CREATE ROLE {support} NOLOGIN BYPASSRLS;
CREATE ROLE {monitor} LOGIN PASSWORD 'secret';
GRANT pg_monitor TO {monitor};
GRANT pg_read_all_settings TO {backup};
GRANT {support} TO {monitor};
SET ROLE {owner};
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE notes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
