-- A materialized view that the application cannot read, and a barrier over it that shows what is the tenant's.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenants TO {app};
CREATE TABLE notes (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  body text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE MATERIALIZED VIEW note_counts AS SELECT tenant_id, count(*) AS notes FROM notes GROUP BY 1;
CREATE UNIQUE INDEX ON note_counts (tenant_id);
CREATE VIEW my_note_counts WITH (security_barrier = true) AS SELECT * FROM note_counts WHERE tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid;
GRANT SELECT ON my_note_counts TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {app};
