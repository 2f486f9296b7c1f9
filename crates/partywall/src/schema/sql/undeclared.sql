-- Relations that the logins ($3) can reach, or that hold a tenant's rows by their shape, and that no
-- model declares. $1 and $2 are the declared tables, $4 the names of tenant columns. Partitions of a
-- declared table are of its shape, and count where they can be reached without it.
WITH RECURSIVE declared AS (
  SELECT c.oid
  FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
  JOIN pg_namespace n ON n.nspname = wanted.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
), part (oid) AS (
  SELECT inhrelid FROM pg_inherits WHERE inhparent IN (SELECT oid FROM declared)
  UNION
  SELECT inhrelid FROM pg_inherits JOIN part ON inhparent = part.oid
)
SELECT n.nspname || '.' || c.relname AS object,
       concat_ws(', ',
         (SELECT 'granted to ' || string_agg(role, ' and ' ORDER BY role) FROM unnest($3::text[]) AS role
          WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = role)
            AND has_schema_privilege(role, n.oid, 'USAGE')
            AND (has_table_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
                 OR has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE'))),
         (SELECT 'refers to ' || string_agg(DISTINCT confrelid::regclass::text, ' and ')
          FROM pg_constraint WHERE contype = 'f' AND conrelid = c.oid
            AND c.oid NOT IN (SELECT oid FROM part)
            AND confrelid IN (SELECT oid FROM declared)),
         (SELECT 'has the column ' || string_agg(attname, ' and ')
          FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            AND c.oid NOT IN (SELECT oid FROM part)
            AND c.relkind IN ('r', 'p') AND attname = ANY ($4::text[]))) AS because
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'partywall')
  AND c.oid NOT IN (SELECT oid FROM declared)
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
                  AND objid = c.oid AND deptype = 'e')
ORDER BY 1
