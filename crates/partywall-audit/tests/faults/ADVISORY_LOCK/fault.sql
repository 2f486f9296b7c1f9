-- prove: cannot: by design of advisory locks
-- As PostgreSQL comes.
GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC;
