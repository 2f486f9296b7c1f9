SELECT a.attrelid, a.attnum, a.attname::text, a.atttypid, format_type(a.atttypid, a.atttypmod),
       t.typtype::text, t.typcategory::text, a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
       a.attgenerated <> '', a.attidentity::text, coalesce(l.collisdeterministic, true),
       coalesce(a.attstattarget, -1) <> 0,
       (WITH RECURSIVE under (oid, base) AS (
          SELECT t.oid, t.typbasetype
          UNION ALL SELECT b.oid, b.typbasetype FROM under u JOIN pg_type b ON b.oid = u.base)
        SELECT u.oid FROM under u WHERE u.base = 0)
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY a.attrelid, a.attnum
