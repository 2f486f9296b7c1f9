-- Administrators come by a login of their own, with a policy of their own.
CREATE ROLE {admin} LOGIN PASSWORD 'secret';
GRANT USAGE ON SCHEMA public TO {admin};
GRANT SELECT, UPDATE ON invoices TO {admin};
CREATE POLICY admins ON invoices TO {admin} USING (true);
-- A setting that only ever takes rows away opens nothing.
ALTER TABLE customers ADD COLUMN test boolean NOT NULL DEFAULT false;
ALTER POLICY own ON customers USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid AND (NOT test OR current_setting('app.show_test', true) = 'on'));
