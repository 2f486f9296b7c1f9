-- A link table between two tenants' tables, and a key that is set to NULL.
CREATE ROLE {app} LOGIN PASSWORD 'secret';
GRANT USAGE ON SCHEMA public TO {app};
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE posts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  title text NOT NULL
);
CREATE TABLE tags (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  name text NOT NULL,
  UNIQUE (tenant_id, name)
);
CREATE TABLE post_tags (
  post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
  tag_id uuid NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
  PRIMARY KEY (post_id, tag_id)
);
GRANT SELECT ON tenants TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON posts, tags, post_tags TO {app};
INSERT INTO tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'globex');
INSERT INTO posts (tenant_id, title) SELECT id, name FROM tenants;
INSERT INTO tags (tenant_id, name) SELECT id, name FROM tenants;
INSERT INTO post_tags SELECT p.id, t.id FROM posts p JOIN tags t USING (tenant_id);
