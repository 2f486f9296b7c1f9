-- Defaults of nothing and nobody, of something else, and for somebody else.
ALTER ROLE {app} SET app.tenant_id = '';
ALTER ROLE {app} SET statement_timeout = '5s';
ALTER ROLE {owner} SET app.tenant_id = 'bbbbbbbb-0000-0000-0000-000000000000';
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET app.tenant_id = %L', current_database(), '00000000-0000-0000-0000-000000000000');
END $$;
