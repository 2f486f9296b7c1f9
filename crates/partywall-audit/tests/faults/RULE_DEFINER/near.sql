-- The policies are forced on the owner of this table.
SET ROLE {owner};
CREATE RULE touch AS ON UPDATE TO customers DO ALSO
  UPDATE invoices SET note = 'touched' WHERE customer_id = NEW.id;
RESET ROLE;
-- And this one keeps to the row's tenant.
CREATE TABLE comments (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE comments ENABLE ROW LEVEL SECURITY;
ALTER TABLE comments FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON comments USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON comments TO {app};
CREATE RULE touch AS ON INSERT TO comments DO ALSO
  UPDATE invoices SET note = 'commented' WHERE tenant_id = NEW.tenant_id AND id = NEW.invoice_id;
