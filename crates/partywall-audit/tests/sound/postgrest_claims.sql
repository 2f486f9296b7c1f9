-- app: member guest
-- without roles
-- PostgREST: one login that becomes the role of the request's token, and claims as JSON.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {authenticator} LOGIN NOINHERIT PASSWORD 'secret';
CREATE ROLE {member} NOLOGIN;
CREATE ROLE {guest} NOLOGIN;
GRANT {member}, {guest} TO {authenticator};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA api AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA api TO {member}, {guest};
SET ROLE {owner};
CREATE TABLE api.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE api.todos (
  tenant_id uuid NOT NULL REFERENCES api.tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  task text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE api.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE api.tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE api.todos ENABLE ROW LEVEL SECURITY;
ALTER TABLE api.todos FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON api.tenants
  USING (id = (NULLIF(current_setting('request.jwt.claims', true), '')::json ->> 'tenant_id')::uuid);
CREATE POLICY own ON api.todos
  USING (tenant_id = (NULLIF(current_setting('request.jwt.claims', true), '')::json ->> 'tenant_id')::uuid);
GRANT SELECT ON api.tenants TO {member}, {guest};
GRANT SELECT ON api.todos TO {guest};
GRANT SELECT, INSERT, UPDATE, DELETE ON api.todos TO {member};
