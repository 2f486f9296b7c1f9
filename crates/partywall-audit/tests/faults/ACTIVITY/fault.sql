-- prove: cannot: by design of one login for all tenants
-- As PostgreSQL comes.
GRANT SELECT ON pg_catalog.pg_stat_activity TO PUBLIC;
