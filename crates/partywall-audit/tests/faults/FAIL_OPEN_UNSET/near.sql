-- Asks whether the context is there, and finds nothing without it.
ALTER POLICY own ON invoices USING (current_setting('app.tenant_id', true) IS NOT NULL AND tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
-- A fallback that is nobody.
ALTER POLICY own ON customers USING (tenant_id = COALESCE(NULLIF(current_setting('app.tenant_id', true), '')::uuid, '00000000-0000-0000-0000-000000000000'));
