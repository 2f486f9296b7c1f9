-- The policies of a table that only the owner uses.
SET ROLE {owner};
CREATE TABLE imports (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (tenant_id, id)
);
CREATE POLICY own ON imports USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
RESET ROLE;
