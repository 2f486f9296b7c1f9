-- Administrators have a login of their own, with policies of their own; so have backups, which bypass all.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE invoices (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  note text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;
RESET ROLE;
CREATE ROLE {admin} LOGIN PASSWORD 'secret';
CREATE ROLE {backup} LOGIN BYPASSRLS PASSWORD 'secret';
GRANT USAGE ON SCHEMA public TO {admin}, {backup};
SET ROLE {owner};
CREATE POLICY own ON invoices TO {app} USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY admins ON invoices TO {admin} USING (true);
CREATE POLICY admins ON tenants TO {admin} USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO {app}, {admin};
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants TO {admin};
GRANT SELECT ON invoices, tenants TO {backup};
