-- app: web_anon web_user
-- finds: GUC_ERROR
-- PostgREST: the claims of the request as its documents read them, current_setting(…, true)::json->>'…', without a guard
-- for the empty text that is left on a connection.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {authenticator} LOGIN NOINHERIT NOCREATEDB NOCREATEROLE NOSUPERUSER PASSWORD 'secret';
CREATE ROLE {web_anon} NOLOGIN;
CREATE ROLE {web_user} NOLOGIN;
GRANT {web_anon}, {web_user} TO {authenticator};
CREATE SCHEMA api AUTHORIZATION {owner};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA api TO {web_anon}, {web_user};
SET ROLE {owner};
CREATE TABLE api.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE api.todos (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES api.tenants (id),
  done boolean NOT NULL DEFAULT false,
  task text NOT NULL,
  due timestamptz
);
CREATE INDEX ON api.todos (tenant_id);
ALTER TABLE api.todos ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_policy ON api.todos
  USING (tenant_id = (current_setting('request.jwt.claims', true)::json->>'tenant_id')::uuid)
  WITH CHECK (tenant_id = (current_setting('request.jwt.claims', true)::json->>'tenant_id')::uuid);
GRANT SELECT ON api.todos TO {web_anon};
GRANT SELECT, INSERT, UPDATE, DELETE ON api.todos TO {web_user};
