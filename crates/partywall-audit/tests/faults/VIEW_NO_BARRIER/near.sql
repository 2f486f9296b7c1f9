SET ROLE {owner};
CREATE TABLE contacts (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  note text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE VIEW my_contacts WITH (security_barrier = true) AS
  SELECT id, note FROM contacts WHERE tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid
  WITH LOCAL CHECK OPTION;
GRANT SELECT ON my_contacts TO {app};
-- Behind this one the policies stand anyhow.
CREATE VIEW my_invoices AS
  SELECT id, note FROM invoices WHERE tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid;
GRANT SELECT ON my_invoices TO {app};
RESET ROLE;
