-- prove: no-context
ALTER ROLE {app} SET app.tenant_id = 'bbbbbbbb-0000-0000-0000-000000000000';
