-- A text that only gets another name is the same text for the index, and an index may be on the cast itself.
SET ROLE {owner};
CREATE TABLE labels (
  tenant_id varchar(36) NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE labels ENABLE ROW LEVEL SECURITY;
ALTER TABLE labels FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON labels USING (tenant_id::text = current_setting('app.tenant_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON labels TO {app};
CREATE INDEX ON invoices ((tenant_id::text));
ALTER POLICY own ON invoices USING (tenant_id::text = current_setting('app.tenant_id', true));
RESET ROLE;
