-- stays: SEQ_SHARED
-- Numbers for keys, as most frameworks make them.
CREATE ROLE {app} LOGIN PASSWORD 'secret';
GRANT USAGE ON SCHEMA public TO {app};
CREATE TABLE organizations (id bigserial PRIMARY KEY, slug text NOT NULL);
CREATE TABLE users (
  id bigserial PRIMARY KEY,
  organization_id bigint NOT NULL REFERENCES organizations (id),
  email text NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users (id),
  number int NOT NULL UNIQUE
);
CREATE TABLE order_lines (
  id bigserial PRIMARY KEY,
  order_id bigint NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  text text NOT NULL
);
GRANT SELECT ON organizations TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON users, orders, order_lines TO {app};
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {app};
INSERT INTO organizations (slug) VALUES ('acme'), ('globex');
INSERT INTO users (organization_id, email) SELECT id, slug || '@test' FROM organizations;
INSERT INTO orders (user_id, number) SELECT id, id FROM users;
INSERT INTO order_lines (order_id, text) SELECT id, 'a' FROM orders, generate_series(1, 5);
