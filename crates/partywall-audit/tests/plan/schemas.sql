-- Several schemas, with tables of one name, and a right that PUBLIC has.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {app} LOGIN PASSWORD 'secret';
CREATE SCHEMA core AUTHORIZATION {owner};
CREATE SCHEMA billing AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA core, billing TO {app};
GRANT CREATE ON SCHEMA billing TO PUBLIC;
SET ROLE {owner};
CREATE TABLE core.accounts (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE core.documents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id uuid NOT NULL REFERENCES core.accounts (id)
);
CREATE TABLE billing.documents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  document_id uuid NOT NULL REFERENCES core.documents (id)
);
GRANT SELECT ON core.accounts TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON core.documents, billing.documents TO {app};
GRANT SELECT ON billing.documents TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA core GRANT SELECT ON TABLES TO {app};
RESET ROLE;
INSERT INTO core.accounts VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000000', 'globex');
INSERT INTO core.documents (account_id) SELECT id FROM core.accounts;
INSERT INTO billing.documents (document_id) SELECT id FROM core.documents;
