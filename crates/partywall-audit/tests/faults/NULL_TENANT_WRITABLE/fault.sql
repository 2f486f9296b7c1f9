-- prove: update
SET ROLE {owner};
CREATE TABLE templates (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid REFERENCES tenants (id),
  body text NOT NULL
);
CREATE INDEX ON templates (tenant_id);
ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE templates FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON templates USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid OR tenant_id IS NULL);
GRANT SELECT, UPDATE ON templates TO {app};
RESET ROLE;
INSERT INTO templates (tenant_id, body) VALUES (NULL, 'for all'), ('aaaaaaaa-0000-0000-0000-000000000000', 'of acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'of globex');
