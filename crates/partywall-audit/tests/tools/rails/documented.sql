-- app: app_user
-- finds: FK_CROSS_TENANT SEQ_SHARED
-- Rails, as articles on row-level security with app.current_tenant tell: migrations run as the owner, requests as
-- another login, keys are bigserial, references by one column.
CREATE ROLE {migrator} LOGIN PASSWORD 'secret';
CREATE ROLE {app_user} LOGIN PASSWORD 'secret';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {app_user};
GRANT USAGE, CREATE ON SCHEMA public TO {migrator};
SET ROLE {migrator};
CREATE TABLE schema_migrations (version character varying NOT NULL PRIMARY KEY);
CREATE TABLE ar_internal_metadata (key character varying NOT NULL PRIMARY KEY, value character varying);
CREATE TABLE tenants (id bigserial PRIMARY KEY, name character varying NOT NULL);
CREATE TABLE projects (
  id bigserial PRIMARY KEY,
  tenant_id bigint NOT NULL REFERENCES tenants (id),
  name character varying NOT NULL
);
CREATE INDEX index_projects_on_tenant_id ON projects (tenant_id);
CREATE TABLE tasks (
  id bigserial PRIMARY KEY,
  tenant_id bigint NOT NULL REFERENCES tenants (id),
  project_id bigint NOT NULL REFERENCES projects (id),
  title character varying NOT NULL
);
CREATE INDEX index_tasks_on_tenant_id ON tasks (tenant_id);
CREATE INDEX index_tasks_on_project_id ON tasks (project_id);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects FORCE ROW LEVEL SECURITY;
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON projects TO {app_user}
  USING (tenant_id = NULLIF(current_setting('app.current_tenant', TRUE), '')::bigint);
CREATE POLICY tenant_isolation ON tasks TO {app_user}
  USING (tenant_id = NULLIF(current_setting('app.current_tenant', TRUE), '')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON projects, tasks TO {app_user};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {app_user};
