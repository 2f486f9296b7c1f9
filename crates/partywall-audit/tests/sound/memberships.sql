-- Whoever is a member of an organization sees its rows; who is a member, only somebody else can say.
CREATE TABLE users (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE organizations (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE memberships (
  organization_id uuid NOT NULL REFERENCES organizations (id),
  user_id uuid NOT NULL REFERENCES users (id),
  PRIMARY KEY (user_id, organization_id)
);
CREATE INDEX ON memberships (organization_id);
CREATE TABLE projects (
  organization_id uuid NOT NULL REFERENCES organizations (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  PRIMARY KEY (organization_id, id)
);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (id = NULLIF(current_setting('app.user_id', true), '')::uuid);
CREATE POLICY own ON memberships USING (user_id = NULLIF(current_setting('app.user_id', true), '')::uuid);
CREATE POLICY members ON organizations USING (id IN (
  SELECT m.organization_id FROM memberships m WHERE m.user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));
CREATE POLICY members ON projects USING (organization_id IN (
  SELECT m.organization_id FROM memberships m WHERE m.user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT ON users, organizations, memberships TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO {app};
