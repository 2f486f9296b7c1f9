-- prove: cannot: the wall holds
SET ROLE {owner};
CREATE TABLE notes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  body text NOT NULL
);
CREATE INDEX ON notes (id, tenant_id);
CREATE INDEX ON notes (tenant_id) WHERE body <> '';
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
RESET ROLE;
