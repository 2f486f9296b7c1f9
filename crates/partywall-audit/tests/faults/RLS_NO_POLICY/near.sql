-- One closed table that was not granted, and one that can be read and not written whatever the grants say.
SET ROLE {owner};
CREATE TABLE secrets (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE TABLE notes (LIKE secrets INCLUDING ALL);
ALTER TABLE notes ADD FOREIGN KEY (tenant_id) REFERENCES tenants (id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes FOR SELECT TO {app}
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
RESET ROLE;
