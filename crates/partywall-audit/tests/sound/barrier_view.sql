-- The table is hidden, and a view that is a barrier shows what is the tenant's and lets nothing else in.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE invoices_of_all (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  note text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE VIEW invoices WITH (security_barrier = true) AS
  SELECT * FROM invoices_of_all WHERE tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid
  WITH CASCADED CHECK OPTION;
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO {app};
