-- A second dimension has a setting of its own.
ALTER TABLE invoices ADD COLUMN region text NOT NULL DEFAULT 'eu';
ALTER POLICY own ON invoices USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid AND region = current_setting('app.region', true));
