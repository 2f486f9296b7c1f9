-- People write rows of their own into workspaces that they are members of: who wrote a row is not whose it is.
CREATE TABLE workspaces (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE members (
  workspace_id uuid NOT NULL REFERENCES workspaces (id),
  user_id uuid NOT NULL,
  PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX ON members (user_id);
CREATE TABLE documents (
  workspace_id uuid NOT NULL REFERENCES workspaces (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  created_by uuid NOT NULL,
  title text NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX ON documents (created_by);
CREATE TABLE votes (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  document_id uuid NOT NULL,
  author uuid NOT NULL,
  PRIMARY KEY (workspace_id, id),
  FOREIGN KEY (workspace_id, document_id) REFERENCES documents (workspace_id, id)
);
CREATE INDEX ON votes (workspace_id, document_id);
ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
ALTER TABLE votes ENABLE ROW LEVEL SECURITY;
ALTER TABLE votes FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON members FOR SELECT USING (user_id = NULLIF(current_setting('app.user_id', true), '')::uuid);
CREATE POLICY mine ON workspaces FOR SELECT USING (id IN (SELECT workspace_id FROM members WHERE user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));
CREATE POLICY ours ON documents USING (workspace_id IN (SELECT workspace_id FROM members WHERE user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));
CREATE POLICY makers ON documents AS RESTRICTIVE FOR DELETE USING (created_by = NULLIF(current_setting('app.user_id', true), '')::uuid);
CREATE POLICY ours ON votes FOR SELECT USING (workspace_id IN (SELECT workspace_id FROM members WHERE user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));
CREATE POLICY own ON votes FOR INSERT WITH CHECK (author = NULLIF(current_setting('app.user_id', true), '')::uuid
  AND workspace_id IN (SELECT workspace_id FROM members WHERE user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT ON workspaces, members TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO {app};
GRANT SELECT, INSERT ON votes TO {app};
