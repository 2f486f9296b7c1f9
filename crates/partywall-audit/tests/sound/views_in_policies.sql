-- Policies that look the session's tenants up in views, of either kind, and in a function over one.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE memberships (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  user_id uuid NOT NULL,
  active boolean NOT NULL DEFAULT true,
  PRIMARY KEY (user_id, tenant_id)
);
CREATE INDEX ON memberships (tenant_id);
CREATE TABLE projects (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE TABLE files (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  path text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects FORCE ROW LEVEL SECURITY;
ALTER TABLE files ENABLE ROW LEVEL SECURITY;
ALTER TABLE files FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON memberships USING (user_id = NULLIF(current_setting('app.user_id', true), '')::uuid);
CREATE VIEW active AS SELECT m.tenant_id, m.user_id FROM memberships m WHERE m.active;
CREATE VIEW mine AS SELECT a.tenant_id FROM active a WHERE a.user_id = NULLIF(current_setting('app.user_id', true), '')::uuid;
CREATE FUNCTION my_tenants() RETURNS SETOF uuid LANGUAGE sql STABLE SET search_path = public, pg_temp AS 'SELECT v.tenant_id FROM mine v';
CREATE POLICY own ON tenants USING (id IN (SELECT tenant_id FROM mine));
CREATE POLICY own ON projects USING (tenant_id IN (SELECT my_tenants()));
CREATE POLICY own ON files
  USING (EXISTS (SELECT FROM active a WHERE a.tenant_id = files.tenant_id AND a.user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT ON tenants, memberships, active, mine TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON projects, files TO {app};
