-- People who can be in several tenants: a tenant sees those who are its members.
CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE members (
  tenant_id int NOT NULL REFERENCES tenants (id),
  user_id int NOT NULL REFERENCES users (id),
  PRIMARY KEY (tenant_id, user_id)
);
CREATE TABLE notes (
  tenant_id int NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  created_by int REFERENCES users (id),
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY members ON users FOR SELECT USING (EXISTS (
  SELECT FROM members m WHERE m.user_id = users.id AND m.tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int));
CREATE POLICY own ON members USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);
CREATE POLICY own ON notes USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);
GRANT SELECT ON users, members TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
