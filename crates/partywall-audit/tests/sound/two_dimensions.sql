-- A tenant and, within it, an author and a region: each dimension narrows what the others let through.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE drafts (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  author_id uuid NOT NULL,
  region text NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON drafts (tenant_id, author_id);
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
ALTER TABLE drafts FORCE ROW LEVEL SECURITY;
CREATE POLICY rows ON drafts USING (true) WITH CHECK (true);
CREATE POLICY tenant ON drafts AS RESTRICTIVE USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY author ON drafts AS RESTRICTIVE USING (author_id = NULLIF(current_setting('app.author_id', true), '')::uuid);
CREATE POLICY region ON drafts AS RESTRICTIVE USING (region = NULLIF(current_setting('app.region', true), ''));
GRANT SELECT, INSERT, UPDATE, DELETE ON drafts TO {app};
