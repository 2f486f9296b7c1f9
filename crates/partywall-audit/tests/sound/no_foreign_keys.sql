-- Nothing refers to anything: names and types alone tell what is whose.
CREATE TABLE organisations (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE org_events (
  org_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  kind text NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE TABLE org_files (
  org_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Of the firm that made it, not of a tenant.
  company text,
  PRIMARY KEY (org_id, id)
);
ALTER TABLE organisations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organisations FORCE ROW LEVEL SECURITY;
ALTER TABLE org_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE org_events FORCE ROW LEVEL SECURITY;
ALTER TABLE org_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE org_files FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organisations USING (id = NULLIF(current_setting('app.org', true), '')::uuid);
CREATE POLICY own ON org_events USING (org_id = NULLIF(current_setting('app.org', true), '')::uuid);
CREATE POLICY own ON org_files USING (org_id = NULLIF(current_setting('app.org', true), '')::uuid);
GRANT SELECT ON organisations TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON org_events, org_files TO {app};
