ALTER POLICY own ON invoices USING (
  CASE WHEN current_setting('app.tenant_id', true) = '' THEN false ELSE tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid END);
