-- Views that read as their owner, whom FORCE binds to the policies like everybody else.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE invoices (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  status text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON invoices USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE VIEW open_invoices AS SELECT * FROM invoices WHERE status = 'open';
CREATE VIEW tenant_names AS SELECT id, name FROM tenants;
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO {app};
GRANT SELECT ON open_invoices, tenant_names TO {app};
