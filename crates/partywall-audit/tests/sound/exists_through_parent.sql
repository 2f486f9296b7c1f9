-- Children without a tenant of their own ask their parent, down a chain.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE invoices (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  note text NOT NULL
);
CREATE INDEX ON invoices (tenant_id);
CREATE TABLE invoice_lines (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
  cents bigint NOT NULL
);
CREATE INDEX ON invoice_lines (invoice_id);
CREATE TABLE line_taxes (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  line_id uuid NOT NULL REFERENCES invoice_lines (id) ON DELETE CASCADE,
  cents bigint NOT NULL
);
CREATE INDEX ON line_taxes (line_id);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;
ALTER TABLE invoice_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoice_lines FORCE ROW LEVEL SECURITY;
ALTER TABLE line_taxes ENABLE ROW LEVEL SECURITY;
ALTER TABLE line_taxes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON invoices USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY own ON invoice_lines USING (
  EXISTS (SELECT 1 FROM invoices WHERE invoices.id = invoice_lines.invoice_id AND invoices.tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid));
-- The parent's own policies hold inside the sub-select.
CREATE POLICY own ON line_taxes USING (line_id IN (SELECT id FROM invoice_lines));
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices, invoice_lines, line_taxes TO {app};
