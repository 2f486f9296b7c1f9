-- prove: stale-context
-- Written by somebody else, a year later.
ALTER POLICY own ON invoices USING (tenant_id = NULLIF(current_setting('app.current_tenant', true), '')::uuid);
