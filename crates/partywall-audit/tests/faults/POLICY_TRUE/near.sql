-- true for everybody, with a floor below it; and for a role that the application is not.
CREATE ROLE {support} NOLOGIN;
GRANT USAGE ON SCHEMA public TO {support};
GRANT SELECT ON invoices TO {support};
CREATE POLICY support ON invoices FOR SELECT TO {support} USING (true);
DROP POLICY own ON customers;
CREATE POLICY rows ON customers USING (true) WITH CHECK (true);
CREATE POLICY own ON customers AS RESTRICTIVE TO {app} USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
