-- prove: empty-context
-- Never so in a test with a fresh session: only once a transaction that set the context has ended.
ALTER POLICY own ON invoices USING (current_setting('app.tenant_id', true) = '' OR tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
