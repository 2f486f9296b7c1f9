-- Rows that several tenants share.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE articles (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_ids uuid[] NOT NULL,
  body text NOT NULL
);
CREATE INDEX ON articles USING gin (tenant_ids);
ALTER TABLE articles ENABLE ROW LEVEL SECURITY;
ALTER TABLE articles FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON articles USING (tenant_ids @> ARRAY[NULLIF(current_setting('app.tenant_id', true), '')::uuid]);
GRANT SELECT ON articles TO {app};
