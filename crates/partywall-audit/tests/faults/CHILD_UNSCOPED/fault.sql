-- prove: read count update delete
SET ROLE {owner};
CREATE TABLE orders (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES tenants (id)
);
CREATE INDEX ON orders (tenant_id);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE TABLE order_lines (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  order_id uuid NOT NULL REFERENCES orders (id),
  text text NOT NULL
);
CREATE INDEX ON order_lines (order_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, order_lines TO {app};
RESET ROLE;
INSERT INTO orders VALUES
  ('aaaaaaaa-0000-0000-0000-000000000021', 'aaaaaaaa-0000-0000-0000-000000000000'),
  ('bbbbbbbb-0000-0000-0000-000000000021', 'bbbbbbbb-0000-0000-0000-000000000000');
INSERT INTO order_lines (order_id, text) VALUES
  ('aaaaaaaa-0000-0000-0000-000000000021', 'of acme'), ('bbbbbbbb-0000-0000-0000-000000000021', 'of globex');
