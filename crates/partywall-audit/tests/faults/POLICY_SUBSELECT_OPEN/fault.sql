-- prove: self-grant
SET ROLE {owner};
CREATE TABLE tokens (token text PRIMARY KEY, org uuid NOT NULL);
GRANT SELECT, INSERT ON tokens TO {app};
DROP POLICY own ON invoices;
CREATE POLICY own ON invoices USING (tenant_id = (SELECT t.org FROM tokens t WHERE t.token = NULLIF(current_setting('app.token', true), '')));
RESET ROLE;
INSERT INTO tokens VALUES ('a', 'aaaaaaaa-0000-0000-0000-000000000000'), ('b', 'bbbbbbbb-0000-0000-0000-000000000000');
