-- The same condition where it narrows: in a restrictive policy, and beside the tenant.
CREATE POLICY no_secrets ON invoices AS RESTRICTIVE FOR SELECT USING (status <> 'secret');
CREATE POLICY published ON customers FOR SELECT USING (email LIKE '%.test' AND tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
