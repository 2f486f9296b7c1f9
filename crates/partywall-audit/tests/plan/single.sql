-- Every table has its own column, some of it forgotten: nullable, without an index, keys over all tenants.
CREATE ROLE {app} LOGIN PASSWORD 'secret';
GRANT USAGE ON SCHEMA public TO {app};
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE customers (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  email text NOT NULL UNIQUE
);
CREATE TABLE invoices (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid REFERENCES tenants (id),
  customer_id uuid NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  parent_id uuid REFERENCES invoices (id),
  number int NOT NULL
);
CREATE UNIQUE INDEX invoices_number ON invoices (customer_id, number) WHERE number > 0;
CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
CREATE VIEW invoice_list AS SELECT i.id, c.email FROM invoices i JOIN customers c ON c.id = i.customer_id;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON tenants, customers, invoices TO {app};
GRANT SELECT ON countries, invoice_list TO {app};
INSERT INTO tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'globex');
INSERT INTO customers VALUES
  ('aaaaaaaa-0000-0000-0000-000000000001', 'aaaaaaaa-0000-0000-0000-000000000000', 'ann@acme.test'),
  ('bbbbbbbb-0000-0000-0000-000000000001', 'bbbbbbbb-0000-0000-0000-000000000000', 'bob@globex.test');
INSERT INTO invoices (tenant_id, customer_id, number) SELECT tenant_id, id, 1 FROM customers;
