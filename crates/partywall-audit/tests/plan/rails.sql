-- stays: SEQ_SHARED
-- The application owns everything, the database too: what `createdb` and migrations leave behind.
CREATE ROLE {app} LOGIN PASSWORD 'secret';
ALTER SCHEMA public OWNER TO {app};
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), '{app}'); END $$;
SET ROLE {app};
CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar);
CREATE TABLE companies (id bigserial PRIMARY KEY, name varchar NOT NULL);
CREATE TABLE projects (
  id bigserial PRIMARY KEY,
  company_id bigint NOT NULL REFERENCES companies (id),
  name varchar NOT NULL
);
CREATE INDEX index_projects_on_company_id ON projects (company_id);
CREATE TABLE todos (
  id bigserial PRIMARY KEY,
  project_id bigint NOT NULL REFERENCES projects (id),
  assignee_id bigint,
  title varchar NOT NULL
);
CREATE INDEX index_todos_on_project_id ON todos (project_id);
CREATE VIEW open_todos AS SELECT * FROM todos;
INSERT INTO companies (name) VALUES ('acme'), ('globex');
INSERT INTO projects (company_id, name) SELECT id, name FROM companies;
INSERT INTO todos (project_id, title) SELECT id, name FROM projects, generate_series(1, 4);
RESET ROLE;
