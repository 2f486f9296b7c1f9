-- prove: cannot: a query that fails reaches nothing
ALTER POLICY own ON invoices USING (tenant_id = current_setting('app.tenant_id')::uuid);
