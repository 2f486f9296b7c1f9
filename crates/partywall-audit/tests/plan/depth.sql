-- Tenants are known by way of other tables, three steps deep.
CREATE ROLE {app} LOGIN PASSWORD 'secret';
GRANT USAGE ON SCHEMA public TO {app};
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE projects (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  name text NOT NULL
);
CREATE TABLE tasks (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  title text NOT NULL
);
CREATE TABLE remarks (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  task_id uuid NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  body text NOT NULL
);
CREATE TABLE files (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  remark_id uuid NOT NULL REFERENCES remarks (id) DEFERRABLE INITIALLY DEFERRED,
  name text NOT NULL
);
GRANT SELECT ON tenants TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON projects, tasks, remarks, files TO {app};
INSERT INTO tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'globex');
INSERT INTO projects (tenant_id, name) SELECT id, name FROM tenants;
INSERT INTO tasks (project_id, title) SELECT id, name FROM projects, generate_series(1, 3);
INSERT INTO remarks (task_id, body) SELECT id, title FROM tasks, generate_series(1, 3);
INSERT INTO files (remark_id, name) SELECT id, body FROM remarks;
