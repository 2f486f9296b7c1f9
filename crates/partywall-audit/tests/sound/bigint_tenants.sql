-- Numbers as tenants, given by whoever makes the tenant.
CREATE TABLE accounts (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE contacts (
  account_id bigint NOT NULL REFERENCES accounts (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  email text NOT NULL,
  PRIMARY KEY (account_id, id),
  UNIQUE (account_id, email)
);
CREATE TABLE calls (
  account_id bigint NOT NULL REFERENCES accounts (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  contact_id uuid NOT NULL,
  PRIMARY KEY (account_id, id),
  FOREIGN KEY (account_id, contact_id) REFERENCES contacts (account_id, id)
);
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts FORCE ROW LEVEL SECURITY;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE calls FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON accounts USING (id = NULLIF(current_setting('app.account', true), '')::bigint);
CREATE POLICY own ON contacts USING (account_id = NULLIF(current_setting('app.account', true), '')::bigint);
CREATE POLICY own ON calls USING (account_id = (SELECT NULLIF(current_setting('app.account', true), '')::bigint));
GRANT SELECT ON accounts TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON contacts, calls TO {app};
