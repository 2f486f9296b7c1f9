-- prove: flag
ALTER POLICY own ON invoices USING (current_setting('app.is_admin', true) = 'on' OR tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
