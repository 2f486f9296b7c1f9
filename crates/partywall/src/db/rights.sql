-- What the current login could use to get around the policies of the tables ($1 schemas, $2 names):
-- what is wrong, and the statement that mends it. $3 are the logins that must be strangers.
WITH RECURSIVE me AS (
  SELECT oid, rolname, quote_ident(rolname) AS name, r.*
  FROM (SELECT oid AS role_oid, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
        FROM pg_roles) AS r
  JOIN (SELECT oid, rolname FROM pg_roles) AS named ON named.oid = r.role_oid
  WHERE rolname = current_user
), protected AS (
  SELECT c.oid, c.relowner, format('%I.%I', n.nspname, c.relname) AS name
  FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
  JOIN pg_namespace n ON n.nspname = wanted.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
), reached (held, role) AS (
  -- What the login is a member of, over however many others, inheriting or not: SET ROLE needs no
  -- inheritance. `held` is the membership of its own that leads there, the one to take away.
  SELECT roleid, roleid FROM pg_auth_members, me WHERE member = me.oid
  UNION
  SELECT reached.held, further.roleid
  FROM reached JOIN pg_auth_members further ON further.member = reached.role
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
                   WHEN other.oid = datdba THEN 'owns the database'
                   WHEN other.rolname = ANY ($3::text[]) THEN 'sees other rows'
                   ELSE 'reaches past the policies' END),
       format('REVOKE %s FROM %s', held::regrole, me.name)
FROM me JOIN pg_database ON datname = current_database(), reached
JOIN pg_roles other ON other.oid = reached.role
WHERE NOT me.rolsuper
  AND (other.rolsuper OR other.rolbypassrls OR other.rolreplication OR other.rolcreaterole
       OR other.oid = datdba OR other.rolname = ANY ($3::text[])
       OR other.rolname IN ('pg_read_server_files', 'pg_write_server_files',
                            'pg_execute_server_program', 'pg_read_all_data', 'pg_write_all_data',
                            'pg_monitor', 'pg_read_all_stats', 'pg_signal_backend'))
UNION ALL
SELECT format('the login %s is the owner of %s, and an owner can switch row-level security off',
              me.name, protected.name),
       format('ALTER TABLE %s OWNER TO %s', protected.name,
              CASE WHEN datdba = me.oid THEN 'another_role' ELSE datdba::regrole::text END)
FROM me JOIN protected ON relowner = me.oid
JOIN pg_database ON datname = current_database()
WHERE NOT me.rolsuper
UNION ALL
SELECT format('the login %s is a member of %s, the owner of %s, and an owner can switch row-level security off',
              me.name, relowner::regrole, string_agg(protected.name, ', ' ORDER BY protected.name)),
       format('REVOKE %s FROM %s', held::regrole, me.name)
FROM me, reached JOIN protected ON relowner = reached.role
WHERE NOT me.rolsuper
GROUP BY me.name, relowner, held
UNION ALL
SELECT format('the login %s may create temporary objects, which outlive a scope', me.name),
       format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, %s', current_database(), me.name)
FROM me WHERE NOT rolsuper AND has_database_privilege(me.oid, current_database(), 'TEMPORARY')
UNION ALL
SELECT format('the login %s may create schemas', me.name),
       format('REVOKE CREATE ON DATABASE %I FROM PUBLIC, %s', current_database(), me.name)
FROM me WHERE NOT rolsuper AND has_database_privilege(me.oid, current_database(), 'CREATE')
  AND NOT EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND datdba = me.oid)
UNION ALL
SELECT format('the login %s owns the database, and with it whatever is made there', me.name),
       format('ALTER DATABASE %I OWNER TO another_role', current_database())
FROM me JOIN pg_database ON datname = current_database() AND datdba = me.oid
WHERE NOT rolsuper
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
UNION ALL
-- What is called with another's rights. Trigger functions cannot be called, and the triggers of protected
-- tables are compared with what was applied, as are Partywall's own functions.
SELECT format('the login %s may execute %s, which runs as %I, and that role %s',
              me.name, routine, owner.rolname,
              CASE WHEN owner.rolsuper THEN 'is a superuser'
                   WHEN owner.rolbypassrls THEN 'has BYPASSRLS'
                   WHEN EXISTS (SELECT FROM protected WHERE pg_has_role(owner.oid, relowner, 'USAGE'))
                   THEN 'owns protected tables'
                   ELSE 'sees other rows' END),
       format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC, %s', routine, me.name)
FROM me, pg_proc p
CROSS JOIN LATERAL (SELECT format('%s.%I(%s)', pronamespace::regnamespace, proname,
                                  pg_get_function_identity_arguments(p.oid)) AS routine) AS named
JOIN pg_roles owner ON owner.oid = p.proowner
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE NOT me.rolsuper AND p.prosecdef
  AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
  AND n.nspname NOT IN ('partywall', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass
                  AND objid = p.oid AND deptype = 'e')
  AND has_schema_privilege(me.oid, n.oid, 'USAGE')
  AND has_function_privilege(me.oid, p.oid, 'EXECUTE')
  AND (owner.rolsuper OR owner.rolbypassrls
       OR EXISTS (SELECT FROM protected WHERE pg_has_role(owner.oid, relowner, 'USAGE'))
       OR EXISTS (SELECT FROM pg_roles other
                  WHERE other.rolname = ANY ($3::text[]) AND other.oid <> me.oid
                    AND pg_has_role(owner.oid, other.oid, 'USAGE')))
UNION ALL
SELECT 'the extension pg_stat_statements keeps the text of nested statements, which holds sealed contexts, and shows it to every session of the login',
       'ALTER SYSTEM SET pg_stat_statements.track = ''top''; SELECT pg_reload_conf()'
WHERE current_setting('pg_stat_statements.track', true) = 'all'
