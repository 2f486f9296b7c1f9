-- prove: shadow
-- without base
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {app} LOGIN PASSWORD 'secret';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {app};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
SET ROLE {owner};
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE memberships (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  user_id uuid NOT NULL REFERENCES users (id),
  PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX ON memberships (user_id);
CREATE TABLE documents (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON memberships FOR SELECT USING (user_id = NULLIF(current_setting('app.user_id', true), '')::uuid);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON documents USING (tenant_id IN (SELECT m.tenant_id FROM memberships m WHERE m.user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT ON memberships TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO {app};
CREATE FUNCTION my_tenants() RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
  SELECT m.tenant_id FROM memberships m WHERE m.user_id = NULLIF(current_setting('app.user_id', true), '')::uuid
$$;
DROP POLICY own ON documents;
CREATE POLICY own ON documents USING (tenant_id IN (SELECT my_tenants()));
RESET ROLE;
INSERT INTO tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'globex');
INSERT INTO users VALUES ('aaaaaaaa-0000-0000-0000-000000000002', 'ann'), ('bbbbbbbb-0000-0000-0000-000000000002', 'bob');
INSERT INTO memberships VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'aaaaaaaa-0000-0000-0000-000000000002'), ('bbbbbbbb-0000-0000-0000-000000000000', 'bbbbbbbb-0000-0000-0000-000000000002');
INSERT INTO documents (tenant_id, body) VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'of acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'of globex');
