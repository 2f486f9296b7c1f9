-- Those who look after the platform see all tenants. Who they are is a list that shows each only itself.
CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE platform_admins (user_id int PRIMARY KEY);
CREATE TABLE notes (
  tenant_id int NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE platform_admins ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_admins FORCE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY me ON platform_admins FOR SELECT USING (user_id = NULLIF(current_setting('app.user_id', true), '')::int);
CREATE POLICY own ON notes USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);
CREATE POLICY support ON notes FOR SELECT USING (EXISTS (
  SELECT FROM platform_admins p WHERE p.user_id = NULLIF(current_setting('app.user_id', true), '')::int));
GRANT SELECT ON platform_admins TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
