SET ROLE {owner};
ALTER TABLE invoices ADD UNIQUE (id), ADD COLUMN country text REFERENCES countries (code);
CREATE TABLE payments (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL,
  part_of uuid,
  cents bigint NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (invoice_id, tenant_id) REFERENCES invoices (id, tenant_id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, part_of) REFERENCES payments (tenant_id, id)
);
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON payments USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON payments TO {app};
-- Without the tenant, but its policy looks for the invoice before PostgreSQL does.
CREATE TABLE invoice_lines (
  invoice_id uuid NOT NULL REFERENCES invoices (id),
  line integer NOT NULL,
  what text NOT NULL,
  PRIMARY KEY (invoice_id, line)
);
ALTER TABLE invoice_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoice_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON invoice_lines USING (EXISTS (
  SELECT FROM invoices i
  WHERE i.id = invoice_lines.invoice_id AND i.tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON invoice_lines TO {app};
RESET ROLE;
INSERT INTO payments (tenant_id, invoice_id, cents) SELECT tenant_id, id, 100 FROM invoices;
