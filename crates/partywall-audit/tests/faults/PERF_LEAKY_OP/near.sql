SET ROLE {owner};
CREATE TABLE notes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  cents bigint NOT NULL,
  price numeric(12, 2) NOT NULL,
  at timestamptz NOT NULL,
  day date NOT NULL,
  title text NOT NULL,
  kind varchar(20) NOT NULL,
  done boolean NOT NULL,
  UNIQUE (tenant_id, price)
);
CREATE INDEX ON notes (tenant_id, cents);
CREATE INDEX ON notes (tenant_id, at, day);
CREATE INDEX ON notes (tenant_id, kind, title);
CREATE INDEX ON notes (done);
CREATE INDEX ON notes USING hash (title);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
-- Here a function searches, past the policies and for the tenant alone.
CREATE TABLE pages (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  search tsvector,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON pages USING gin (search);
ALTER TABLE pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE pages FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON pages USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON pages TO {app};
RESET ROLE;
CREATE FUNCTION search_pages(wanted tsquery) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT id FROM pages
  WHERE search @@ wanted AND tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid
$$;
