-- Rows without a tenant are everybody's to read on purpose, and nobody's to write.
SET ROLE {owner};
CREATE TABLE templates (
  tenant_id uuid REFERENCES tenants (id),
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  body text NOT NULL
);
CREATE INDEX ON templates (tenant_id);
ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE templates FORCE ROW LEVEL SECURITY;
CREATE POLICY shown ON templates FOR SELECT
  USING (tenant_id IS NULL OR tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY made ON templates FOR INSERT
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY changed ON templates FOR UPDATE
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY removed ON templates FOR DELETE
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON templates TO {app};
-- A check says the same as NOT NULL.
CREATE TABLE contacts (
  tenant_id uuid REFERENCES tenants (id) CHECK (tenant_id IS NOT NULL),
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email text NOT NULL
);
CREATE INDEX ON contacts (tenant_id);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO {app};
RESET ROLE;
