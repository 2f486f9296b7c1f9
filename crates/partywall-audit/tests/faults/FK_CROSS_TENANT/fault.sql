-- prove: reference
SET ROLE {owner};
ALTER TABLE invoices ADD UNIQUE (id);
CREATE TABLE payments (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
  cents bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON payments USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON payments TO {app};
RESET ROLE;
INSERT INTO payments (tenant_id, invoice_id, cents) SELECT tenant_id, id, 100 FROM invoices;
