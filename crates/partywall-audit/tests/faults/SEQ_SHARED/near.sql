-- The base numbers invoices by tenant. Nobody's rows may be numbered, and rows by what is no sequence.
SET ROLE {owner};
CREATE TABLE currencies (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE
);
CREATE TABLE tickets (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id bigint NOT NULL DEFAULT ('x' || left(md5(gen_random_uuid()::text), 15))::bit(60)::bigint,
  title text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE tickets FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tickets USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON tickets TO {app};
GRANT SELECT ON currencies TO {app};
RESET ROLE;
