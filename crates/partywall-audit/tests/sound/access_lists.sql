-- Who may see what within a tenant: lists of people, held to the tenant by its policies or by a wall.
CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE folders (
  tenant_id int NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (tenant_id, id)
);
CREATE TABLE files (
  tenant_id int NOT NULL,
  folder_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, folder_id) REFERENCES folders (tenant_id, id)
);
CREATE INDEX ON files (tenant_id, folder_id);
CREATE TABLE acl (
  tenant_id int NOT NULL,
  folder_id uuid NOT NULL,
  user_id int NOT NULL,
  PRIMARY KEY (tenant_id, folder_id, user_id),
  FOREIGN KEY (tenant_id, folder_id) REFERENCES folders (tenant_id, id) ON DELETE CASCADE
);
ALTER TABLE folders ENABLE ROW LEVEL SECURITY;
ALTER TABLE folders FORCE ROW LEVEL SECURITY;
ALTER TABLE files ENABLE ROW LEVEL SECURITY;
ALTER TABLE files FORCE ROW LEVEL SECURITY;
ALTER TABLE acl ENABLE ROW LEVEL SECURITY;
ALTER TABLE acl FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON acl USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);
CREATE POLICY wall ON folders AS RESTRICTIVE USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);
CREATE POLICY shared ON folders USING (id IN (
  SELECT a.folder_id FROM acl a WHERE a.user_id = NULLIF(current_setting('app.user_id', true), '')::int)) WITH CHECK (true);
CREATE POLICY shared ON files USING (EXISTS (
  SELECT FROM acl a WHERE a.tenant_id = files.tenant_id AND a.folder_id = files.folder_id
     AND a.user_id = NULLIF(current_setting('app.user_id', true), '')::int))
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON folders, files, acl TO {app};
