-- What belongs to a user of a tenant: made, seen and removed by that user alone.
CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE users (
  tenant_id int NOT NULL REFERENCES tenants (id),
  id uuid PRIMARY KEY DEFAULT gen_random_uuid()
);
CREATE INDEX ON users (tenant_id);
CREATE TABLE tokens (
  user_id uuid NOT NULL REFERENCES users (id),
  token_hash text NOT NULL,
  PRIMARY KEY (user_id, token_hash)
);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users FOR SELECT USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);
CREATE POLICY mine ON tokens USING (user_id = NULLIF(current_setting('app.user_id', true), '')::uuid);
GRANT SELECT ON users TO {app};
GRANT SELECT, INSERT, DELETE ON tokens TO {app};
