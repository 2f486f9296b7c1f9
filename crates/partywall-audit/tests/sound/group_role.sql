-- app: web worker
-- without roles
-- Rights and policies are a group's, and two logins are members of it.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {apps} NOLOGIN;
CREATE ROLE {web} LOGIN PASSWORD 'secret' IN ROLE {apps};
CREATE ROLE {worker} LOGIN PASSWORD 'secret' IN ROLE {apps};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {apps};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
SET ROLE {owner};
CREATE TABLE workspaces (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE pages (
  workspace_id uuid NOT NULL REFERENCES workspaces (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  body text NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
ALTER TABLE pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE pages FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON workspaces TO {apps} USING (id = NULLIF(current_setting('app.workspace', true), '')::uuid);
CREATE POLICY own ON pages TO {apps} USING (workspace_id = NULLIF(current_setting('app.workspace', true), '')::uuid);
GRANT SELECT ON workspaces TO {apps};
GRANT SELECT, INSERT, UPDATE, DELETE ON pages TO {apps};
