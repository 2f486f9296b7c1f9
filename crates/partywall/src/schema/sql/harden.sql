-- What PostgreSQL lets everybody do, and only a superuser can forbid. It holds for this database.
-- Other sessions of the same login: their statements, stopping them, their statistics.
REVOKE ALL ON pg_catalog.pg_stat_activity FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
  pg_catalog.pg_stat_get_activity(integer),
  pg_catalog.pg_stat_get_backend_activity(integer),
  pg_catalog.pg_cancel_backend(integer),
  pg_catalog.pg_terminate_backend(integer, bigint)
FROM PUBLIC;
-- Large objects know no rows, so no policy protects them.
REVOKE EXECUTE ON FUNCTION
  pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea),
  pg_catalog.lo_get(oid), pg_catalog.lo_get(oid, bigint, integer),
  pg_catalog.lo_put(oid, bigint, bytea), pg_catalog.lo_open(oid, integer),
  pg_catalog.lo_unlink(oid)
FROM PUBLIC;
REVOKE ALL ON pg_catalog.pg_largeobject_metadata FROM PUBLIC;
-- A DO block can catch the cancellation that ends an endless statement.
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
-- The owner of the database makes functions, and tables in `public`.
DO $partywall$
DECLARE
  owner text := (SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database());
BEGIN
  EXECUTE format('GRANT USAGE ON LANGUAGE plpgsql TO %s', owner);
  EXECUTE format('GRANT ALL ON SCHEMA public TO %s', owner);
  REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END
$partywall$;
