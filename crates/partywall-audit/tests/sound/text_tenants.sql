-- Names as tenants. The empty text is nobody's name.
CREATE TABLE organizations (slug text PRIMARY KEY CHECK (slug <> ''), title text NOT NULL);
CREATE TABLE documents (
  organization_slug text NOT NULL REFERENCES organizations (slug),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  body text NOT NULL,
  PRIMARY KEY (organization_slug, id)
);
CREATE TABLE attachments (
  organization_slug varchar(40) NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  document_id uuid NOT NULL,
  PRIMARY KEY (organization_slug, id),
  FOREIGN KEY (organization_slug, document_id) REFERENCES documents (organization_slug, id)
);
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE attachments FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organizations USING (slug = NULLIF(current_setting('app.organization', true), ''));
CREATE POLICY own ON documents USING (organization_slug = NULLIF(current_setting('app.organization', true), ''));
CREATE POLICY own ON attachments USING (organization_slug = NULLIF(current_setting('app.organization', true), ''));
GRANT SELECT ON organizations TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON documents, attachments TO {app};
