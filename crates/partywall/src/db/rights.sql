-- What the current login could use to get around the policies of the tables ($1 schemas, $2 names):
-- what is wrong, and the statement that mends it. $3 are the logins that must be strangers.
WITH me AS (
  SELECT oid, rolname, quote_ident(rolname) AS name, r.*
  FROM (SELECT oid AS role_oid, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
        FROM pg_roles) AS r
  JOIN (SELECT oid, rolname FROM pg_roles) AS named ON named.oid = r.role_oid
  WHERE rolname = current_user
), protected AS (
  SELECT c.oid, c.relowner, c.oid::regclass::text AS name
  FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
  JOIN pg_namespace n ON n.nspname = wanted.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
)
SELECT format('the login %s is a superuser, and row-level security does not apply to superusers', name),
       format('ALTER ROLE %s NOSUPERUSER', name)
FROM me WHERE rolsuper
UNION ALL
SELECT format('the login %s has BYPASSRLS, so no policy applies to it', name),
       format('ALTER ROLE %s NOBYPASSRLS', name)
FROM me WHERE rolbypassrls
UNION ALL
SELECT format('the login %s may %s', name, what), format('ALTER ROLE %s %s', name, fix)
FROM me, LATERAL (VALUES (rolcreaterole, 'create roles', 'NOCREATEROLE'),
                         (rolreplication, 'read the replication stream, which has every row', 'NOREPLICATION'))
  AS attribute (has, what, fix)
WHERE has AND NOT rolsuper
UNION ALL
SELECT format('the login %s is a member of %s, which %s', me.name, quote_ident(other.rolname),
              CASE WHEN other.rolsuper THEN 'is a superuser'
                   WHEN other.rolbypassrls THEN 'has BYPASSRLS'
                   WHEN other.rolname = ANY ($3::text[]) THEN 'sees other rows'
                   ELSE 'reaches past the policies' END),
       format('REVOKE %s FROM %s', quote_ident(other.rolname), me.name)
FROM me JOIN pg_roles other ON other.oid <> me.oid AND pg_has_role(me.oid, other.oid, 'MEMBER')
WHERE NOT me.rolsuper
  AND (other.rolsuper OR other.rolbypassrls OR other.rolreplication OR other.rolcreaterole
       OR other.rolname = ANY ($3::text[])
       OR other.rolname IN ('pg_read_server_files', 'pg_write_server_files',
                            'pg_execute_server_program', 'pg_read_all_data', 'pg_write_all_data',
                            'pg_monitor', 'pg_read_all_stats', 'pg_signal_backend'))
UNION ALL
SELECT DISTINCT
       format('the login %s %s the owner of %s, and an owner can switch row-level security off',
              me.name, CASE WHEN relowner = me.oid THEN 'is' ELSE 'is a member of' END,
              CASE WHEN relowner = me.oid THEN protected.name
                   ELSE format('%s, %s', protected.name, relowner::regrole) END),
       CASE WHEN relowner = me.oid
            THEN format('ALTER TABLE %s OWNER TO another_role', protected.name)
            ELSE format('REVOKE %s FROM %s', relowner::regrole, me.name) END
FROM me JOIN protected ON pg_has_role(me.oid, relowner, 'MEMBER')
WHERE NOT me.rolsuper
UNION ALL
SELECT format('the login %s may create temporary objects, which outlive a scope', me.name),
       format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, %s', current_database(), me.name)
FROM me WHERE NOT rolsuper AND has_database_privilege(me.oid, current_database(), 'TEMPORARY')
UNION ALL
SELECT format('the login %s may create objects in the schema %I', me.name, nspname),
       format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC, %s', nspname, me.name)
FROM me, pg_namespace
WHERE NOT rolsuper AND has_schema_privilege(me.oid, pg_namespace.oid, 'CREATE')
  AND nspname NOT LIKE 'pg\_temp\_%' AND nspname NOT LIKE 'pg\_toast%'
UNION ALL
SELECT format('the login %s may %s %s', me.name, right_name, protected.name),
       format('REVOKE %s ON %s FROM PUBLIC, %s', right_name, protected.name, me.name)
FROM me, protected, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS right_name
WHERE NOT rolsuper AND NOT pg_has_role(me.oid, relowner, 'MEMBER')
  AND has_table_privilege(me.oid, protected.oid, right_name)
