-- prove: cannot: the wall holds
ALTER POLICY own ON invoices USING (tenant_id::text = current_setting('app.tenant_id', true));
ALTER POLICY own ON customers
  USING (tenant_id::text = ANY (string_to_array(current_setting('app.tenant_id', true), ',')))
  WITH CHECK ((SELECT current_setting('app.tenant_id', true)) = tenant_id::text);
