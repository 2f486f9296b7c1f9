-- People beside the tenants: each sees itself, what it is a member of, and what belongs to that.
CREATE TABLE orgs (id int PRIMARY KEY, name text);
CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE members (
  org_id int NOT NULL REFERENCES orgs (id),
  user_id int NOT NULL REFERENCES users (id),
  PRIMARY KEY (org_id, user_id)
);
CREATE INDEX ON members (user_id);
CREATE TABLE items (
  org_id int NOT NULL REFERENCES orgs (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  created_by int REFERENCES users (id),
  PRIMARY KEY (org_id, id)
);
ALTER TABLE orgs ENABLE ROW LEVEL SECURITY;
ALTER TABLE orgs FORCE ROW LEVEL SECURITY;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
ALTER TABLE items FORCE ROW LEVEL SECURITY;
CREATE POLICY me ON users USING (id = NULLIF(current_setting('app.user_id', true), '')::int);
CREATE POLICY me ON members FOR SELECT USING (user_id = NULLIF(current_setting('app.user_id', true), '')::int);
CREATE POLICY mine ON orgs FOR SELECT USING (id IN (
  SELECT m.org_id FROM members m WHERE m.user_id = NULLIF(current_setting('app.user_id', true), '')::int));
CREATE POLICY mine ON items USING (org_id IN (
  SELECT m.org_id FROM members m WHERE m.user_id = NULLIF(current_setting('app.user_id', true), '')::int));
GRANT SELECT, UPDATE ON users TO {app};
GRANT SELECT ON orgs, members TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON items TO {app};
