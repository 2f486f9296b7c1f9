-- Rows of two tenants: both see them, and each makes them in its own name.
CREATE TABLE companies (id int PRIMARY KEY);
CREATE TABLE products (
  company_id int NOT NULL REFERENCES companies (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (company_id, id)
);
CREATE TABLE contracts (
  company_id int NOT NULL REFERENCES companies (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  counterparty_company_id int NOT NULL REFERENCES companies (id),
  body text NOT NULL,
  PRIMARY KEY (company_id, id)
);
CREATE INDEX ON contracts (counterparty_company_id);
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
ALTER TABLE products FORCE ROW LEVEL SECURITY;
ALTER TABLE contracts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contracts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON products USING (company_id = NULLIF(current_setting('app.company_id', true), '')::int);
CREATE POLICY parties ON contracts FOR SELECT USING (
  NULLIF(current_setting('app.company_id', true), '')::int IN (company_id, counterparty_company_id));
CREATE POLICY make ON contracts FOR INSERT WITH CHECK (company_id = NULLIF(current_setting('app.company_id', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON products TO {app};
GRANT SELECT, INSERT ON contracts TO {app};
