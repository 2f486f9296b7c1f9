-- As PostgreSQL comes.
GRANT SELECT ON pg_catalog.pg_stat_activity TO PUBLIC;
