-- What PostgreSQL lets everybody do, and only a superuser can forbid. It holds for this database.
DO $partywall$
DECLARE
  function regprocedure;
BEGIN
  FOR function IN
    SELECT p.oid FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY (ARRAY[
      -- Other sessions of the same login: seeing them, stopping them, their statements.
      'pg_stat_get_activity', 'pg_stat_get_backend_activity', 'pg_cancel_backend',
      'pg_terminate_backend', 'pg_prepared_statement', 'pg_cursor',
      -- Large objects know no rows, so no policy protects them.
      'lo_creat', 'lo_create', 'lo_from_bytea', 'lo_get', 'lo_put', 'lo_open', 'lo_unlink',
      -- A query that changes the settings by which the session reads the next statement. SET, which
      -- does the same, is a statement of its own and cannot be injected into another.
      'set_config', 'setseed',
      -- The write-ahead log, filled by anybody.
      'pg_logical_emit_message'])
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function);
  END LOOP;
END
$partywall$;
REVOKE ALL ON pg_catalog.pg_stat_activity, pg_catalog.pg_prepared_statements,
  pg_catalog.pg_cursors, pg_catalog.pg_largeobject_metadata FROM PUBLIC;
REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC;
-- A DO block can catch the cancellation that ends an endless statement.
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
-- The owner of the database makes functions, tables in `public`, and dumps, which use set_config.
DO $partywall$
DECLARE
  owner text := (SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database());
BEGIN
  EXECUTE format('GRANT USAGE ON LANGUAGE plpgsql TO %s', owner);
  EXECUTE format('GRANT ALL ON SCHEMA public TO %s', owner);
  EXECUTE format('GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO %s', owner);
  REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END
$partywall$;
-- `DROP OWNED BY CURRENT_USER` would take a login's grants away, and its policies with them: nothing
-- could be read by anybody until the schema is applied again. No right governs it, so a trigger does.
CREATE OR REPLACE FUNCTION public.partywall_drop_owned() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $partywall$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION 'permission denied to drop objects' USING ERRCODE = '42501';
  END IF;
END
$partywall$;
DROP EVENT TRIGGER IF EXISTS partywall_drop_owned;
CREATE EVENT TRIGGER partywall_drop_owned ON ddl_command_start WHEN TAG IN ('DROP OWNED')
  EXECUTE FUNCTION public.partywall_drop_owned();
