-- What is the same for all is read by all and written by none; tenants' tables refer to it.
CREATE TABLE currencies (code text PRIMARY KEY, name text NOT NULL);
CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL, currency text NOT NULL REFERENCES currencies (code));
CREATE TABLE plans (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE addresses (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  country text NOT NULL REFERENCES countries (code),
  plan integer REFERENCES plans (id) ON DELETE SET NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE addresses ENABLE ROW LEVEL SECURITY;
ALTER TABLE addresses FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON addresses USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON currencies, countries, plans TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON addresses TO {app};
