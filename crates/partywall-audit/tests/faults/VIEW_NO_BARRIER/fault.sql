-- prove: peek
-- The application reads contacts through the view alone, which chooses the tenant's rows itself.
SET ROLE {owner};
CREATE TABLE contacts (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  note text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE VIEW my_contacts AS
  SELECT id, note FROM contacts WHERE tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid;
GRANT SELECT ON my_contacts TO {app};
RESET ROLE;
