-- prove: other-case
-- without base
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {app} LOGIN PASSWORD 'secret';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {app};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
GRANT USAGE ON SCHEMA public TO {owner};
SET ROLE {owner};
CREATE TABLE tenants (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE documents (
  tenant_id text COLLATE nocase NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON documents USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''));
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO {app};
RESET ROLE;
INSERT INTO tenants VALUES ('acme', 'Acme'), ('acme-eu', 'Acme Europe');
INSERT INTO documents (tenant_id, body) VALUES ('acme', 'of acme'), ('acme-eu', 'of acme-eu');
