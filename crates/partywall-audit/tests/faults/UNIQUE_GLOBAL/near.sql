SET ROLE {owner};
ALTER TABLE tenants ADD COLUMN slug text UNIQUE;
CREATE TABLE contacts (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
  email text NOT NULL,
  external uuid UNIQUE,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX contacts_email ON contacts (lower(email), tenant_id) WHERE deleted_at IS NULL;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON contacts USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO {app};
-- The application only reads these.
CREATE TABLE licences (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  key text NOT NULL UNIQUE,
  PRIMARY KEY (tenant_id, key)
);
ALTER TABLE licences ENABLE ROW LEVEL SECURITY;
ALTER TABLE licences FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON licences USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON licences TO {app};
RESET ROLE;
