-- prove: update delete
DROP POLICY own ON invoices;
CREATE POLICY rows ON invoices USING (true) WITH CHECK (true);
CREATE POLICY own ON invoices AS RESTRICTIVE FOR SELECT TO {app} USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
