-- Two tenants with rows, behind correct policies.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {app} LOGIN PASSWORD '{password}';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {app};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
SET ROLE {owner};

CREATE TABLE tenants (
  id uuid PRIMARY KEY,
  name text NOT NULL
);
CREATE TABLE customers (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  email text NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, email)
);
CREATE TABLE invoices (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  customer_id uuid NOT NULL,
  number bigint NOT NULL,
  status text NOT NULL DEFAULT 'draft',
  note text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, number),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE TABLE countries (
  code text PRIMARY KEY,
  name text NOT NULL
);

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON customers USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON invoices USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT ON tenants, countries TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON customers, invoices TO {app};
RESET ROLE;

INSERT INTO tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'globex');
INSERT INTO customers VALUES
  ('aaaaaaaa-0000-0000-0000-000000000000', 'aaaaaaaa-0000-0000-0000-000000000001', 'ann@acme.test'),
  ('bbbbbbbb-0000-0000-0000-000000000000', 'bbbbbbbb-0000-0000-0000-000000000001', 'bob@globex.test');
INSERT INTO invoices (tenant_id, id, customer_id, number, status, note) VALUES
  ('aaaaaaaa-0000-0000-0000-000000000000', 'aaaaaaaa-0000-0000-0000-000000000011', 'aaaaaaaa-0000-0000-0000-000000000001', 1, 'draft', 'of acme'),
  ('bbbbbbbb-0000-0000-0000-000000000000', 'bbbbbbbb-0000-0000-0000-000000000011', 'bbbbbbbb-0000-0000-0000-000000000001', 1, 'published', 'of globex');
INSERT INTO countries VALUES ('de', 'Germany'), ('fr', 'France');
