-- prove: cannot: the wall holds
SET ROLE {owner};
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE notes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  price numeric(12, 2) NOT NULL DEFAULT 0,
  mood mood NOT NULL DEFAULT 'good',
  tags text[] NOT NULL DEFAULT '{}',
  about jsonb NOT NULL DEFAULT '{}',
  search tsvector
);
CREATE INDEX ON notes (tenant_id, price);
CREATE INDEX ON notes (mood);
CREATE INDEX ON notes USING gin (tags);
CREATE INDEX ON notes USING gin (about);
CREATE INDEX ON notes USING gin (search);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
RESET ROLE;
