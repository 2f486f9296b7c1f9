-- app: rails
-- without roles
-- The application owns its tables, as Rails and Django have it, and forces the policies on itself. That it can also
-- take them away is the fault of another file: here it does not own them any more.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {rails} LOGIN PASSWORD 'secret';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {rails};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
SET ROLE {owner};
CREATE TABLE companies (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name character varying NOT NULL);
CREATE TABLE employees (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  company_id uuid NOT NULL REFERENCES companies (id),
  name character varying NOT NULL
);
CREATE INDEX index_employees_on_company_id ON employees (company_id);
ALTER TABLE companies ENABLE ROW LEVEL SECURITY;
ALTER TABLE companies FORCE ROW LEVEL SECURITY;
ALTER TABLE employees ENABLE ROW LEVEL SECURITY;
ALTER TABLE employees FORCE ROW LEVEL SECURITY;
CREATE POLICY company ON companies USING (id = NULLIF(current_setting('rls.company_id', true), '')::uuid);
CREATE POLICY company ON employees USING (company_id = NULLIF(current_setting('rls.company_id', true), '')::uuid);
GRANT SELECT ON companies TO {rails};
GRANT SELECT, INSERT, UPDATE, DELETE ON employees TO {rails};
