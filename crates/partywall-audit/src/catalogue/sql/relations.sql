-- Tables, views, sequences … of all schemas but PostgreSQL's own.
SELECT c.oid, c.relnamespace, n.nspname::text, c.relname::text, c.relkind::"char"::text, c.relowner,
       c.relrowsecurity, c.relforcerowsecurity, c.reltuples,
       c.relispartition, c.reloptions,
       (SELECT e.extname::text FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
         WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
           AND d.refclassid = 'pg_extension'::regclass LIMIT 1) AS extension,
       (SELECT array_agg(i.inhparent ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid) AS parents,
       (SELECT p.partattrs::int2[] FROM pg_partitioned_table p WHERE p.partrelid = c.oid) AS partition_key,
       (SELECT p.partstrat::text FROM pg_partitioned_table p WHERE p.partrelid = c.oid) AS partition_strategy
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY c.oid
