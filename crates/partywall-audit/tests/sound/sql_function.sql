-- The context through a STABLE function in SQL.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE notes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
RESET ROLE;
CREATE SCHEMA app_context AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA app_context TO {app};
SET ROLE {owner};
CREATE FUNCTION app_context.tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid $$;
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = (SELECT app_context.tenant()));
CREATE POLICY own ON notes USING (tenant_id = (SELECT app_context.tenant())) WITH CHECK (tenant_id = (SELECT app_context.tenant()));
GRANT SELECT ON tenants TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
