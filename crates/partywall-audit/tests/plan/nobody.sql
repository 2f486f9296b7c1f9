-- A superuser owns everything, and no role of an application is there yet.
CREATE TABLE tenants (id uuid PRIMARY KEY, name varchar(20) NOT NULL);
CREATE TABLE notes (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  author_id uuid,
  body text NOT NULL
);
CREATE TABLE attachments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  note_id uuid NOT NULL REFERENCES notes (id) ON DELETE CASCADE
);
CREATE TABLE alembic_version (version_num text PRIMARY KEY);
INSERT INTO tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'globex');
INSERT INTO notes (tenant_id, body) SELECT id, name FROM tenants;
INSERT INTO attachments (note_id) SELECT id FROM notes;
