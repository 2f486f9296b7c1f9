-- prove: side-effect
-- The rule acts as the owner of its table, here a superuser.
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
  UPDATE invoices SET note = 'commented' WHERE id = NEW.invoice_id;
