DROP POLICY own ON invoices;
CREATE POLICY rows ON invoices USING (true) WITH CHECK (true);
CREATE POLICY own ON invoices AS RESTRICTIVE FOR ALL TO {app} USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
-- For one command alone, where that is all that is granted.
DROP POLICY own ON customers;
CREATE POLICY rows ON customers USING (true);
CREATE POLICY own ON customers AS RESTRICTIVE FOR SELECT TO {app} USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
REVOKE INSERT, UPDATE, DELETE ON customers FROM {app};
