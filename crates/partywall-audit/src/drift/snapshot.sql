-- What the catalogues say of the protected tables ($1 schemas, $2 tables) and of Partywall's own
-- tables, functions and roles ($3): one row for each fact, in a form that any login can read and
-- compare.
WITH protected AS (
  SELECT c.oid, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relacl,
         n.nspname || '.' || c.relname AS object
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND (n.nspname = 'partywall' OR (n.nspname::text, c.relname::text) IN
         (SELECT wanted.* FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)))
)
-- Texts, since the names of policies would make names of the whole column, of 63 bytes.
SELECT object, 'table' AS aspect, 'row security'::text AS name,
       format('enabled %s, forced %s, owner %s', relrowsecurity, relforcerowsecurity,
              relowner::regrole) AS definition
FROM protected
UNION ALL
SELECT object, 'policy', polname,
       format('%s %s to %s using %s check %s',
              CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END, polcmd,
              (SELECT string_agg(role, ',' ORDER BY role)
               FROM unnest(polroles) AS r,
                    LATERAL (SELECT CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END) AS _ (role)),
              md5(coalesce(pg_get_expr(polqual, polrelid), '')),
              md5(coalesce(pg_get_expr(polwithcheck, polrelid), '')))
FROM protected JOIN pg_policy ON polrelid = protected.oid
UNION ALL
SELECT object, 'privilege',
       CASE acl.grantee WHEN 0 THEN 'public' ELSE acl.grantee::regrole::text END,
       string_agg(acl.privilege_type || coalesce('(' || attname || ')', '')
                  || CASE WHEN acl.is_grantable THEN '*' ELSE '' END, ','
                  ORDER BY attname NULLS FIRST, acl.privilege_type)
FROM (
  SELECT object, relowner, NULL::name AS attname, acl.*
  FROM protected CROSS JOIN aclexplode(coalesce(relacl, acldefault('r', relowner))) AS acl
  UNION ALL
  SELECT object, relowner, attname, acl.*
  FROM protected JOIN pg_attribute a ON a.attrelid = protected.oid
  CROSS JOIN aclexplode(a.attacl) AS acl
) AS acl
WHERE acl.grantee <> acl.relowner
GROUP BY object, acl.grantee
UNION ALL
SELECT object, 'column', attname,
       format('%s%s%s', format_type(atttypid, atttypmod),
              CASE WHEN attnotnull THEN ' not null' ELSE '' END,
              coalesce(' default ' || pg_get_expr(adbin, adrelid), ''))
FROM protected
JOIN pg_attribute a ON a.attrelid = protected.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = a.attrelid AND adnum = a.attnum
UNION ALL
SELECT object, 'constraint', conname,
       pg_get_constraintdef(con.oid)
       || CASE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgconstraint = con.oid AND tgenabled <> 'O')
               THEN ' disabled' ELSE '' END
FROM protected JOIN pg_constraint con ON conrelid = protected.oid AND contype <> 'n'
UNION ALL
SELECT object, 'unique index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM protected JOIN pg_index ON indrelid = protected.oid AND (indisunique OR indisexclusion)
UNION ALL
SELECT object, 'trigger', tgname, format('%s %s', tgenabled, pg_get_triggerdef(t.oid))
FROM protected JOIN pg_trigger t ON tgrelid = protected.oid AND NOT tgisinternal
UNION ALL
SELECT object, 'rule', rulename, pg_get_ruledef(r.oid)
FROM protected JOIN pg_rewrite r ON ev_class = protected.oid
UNION ALL
SELECT 'partywall', 'function', p.oid::regprocedure::text,
       format('%s, definer %s, owner %s, volatile %s, parallel %s, leakproof %s, config %s, acl %s',
              md5(prosrc), prosecdef, proowner::regrole, provolatile, proparallel, proleakproof,
              coalesce(proconfig::text, '-'),
              coalesce((SELECT string_agg(a.grantee::regrole::text, ',' ORDER BY a.grantee::regrole::text)
                        FROM aclexplode(proacl) AS a), 'public'))
FROM pg_proc p WHERE pronamespace = 'partywall'::regnamespace
UNION ALL
SELECT 'partywall', 'role', rolname,
       format('superuser %s, bypassrls %s, createrole %s, createdb %s, replication %s, member of %s',
              rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
              coalesce((SELECT string_agg(roleid::regrole::text, ',' ORDER BY roleid::regrole::text)
                        FROM pg_auth_members WHERE member = r.oid), 'nothing'))
FROM pg_roles r WHERE rolname = ANY ($3::text[])
UNION ALL
-- What the logins' sessions begin with. Of a login's own settings, all: nobody but Partywall's owner
-- has business there. Of those for every role, in this database or in all, the ones that matter:
-- * unsafe, and never expected: a context that nobody vouched for; another role to begin as; foreign
--   keys and triggers switched off; row-level security answering with errors.
-- * to be seen, and expected once the schema is applied again: what the names and literals in a
--   statement mean, and code that is loaded into the session.
-- Others are the operator's: time limits, time zone, memory, logging. So are the defaults for
-- transactions, since BEGIN spells them out.
SELECT 'partywall', aspect,
       format('%s of %s%s', parameter, coalesce(r.rolname, 'every role'),
              CASE WHEN s.setdatabase = 0 THEN '' ELSE ' in this database' END),
       substr(entry, strpos(entry, '=') + 1)
FROM pg_db_role_setting s
LEFT JOIN pg_roles r ON r.oid = s.setrole
LEFT JOIN pg_database d ON d.oid = s.setdatabase
CROSS JOIN LATERAL unnest(s.setconfig) AS entry
CROSS JOIN LATERAL lower(split_part(entry, '=', 1)) AS parameter
CROSS JOIN LATERAL (SELECT CASE
    WHEN parameter LIKE 'partywall.%' OR parameter IN
         ('role', 'session_authorization', 'session_replication_role', 'row_security')
    THEN 'unsafe setting'
    WHEN r.oid IS NOT NULL OR parameter IN
         ('search_path', 'standard_conforming_strings', 'backslash_quote', 'transform_null_equals',
          'session_preload_libraries', 'local_preload_libraries')
    THEN 'setting' END) AS _ (aspect)
WHERE aspect IS NOT NULL AND (s.setrole = 0 OR r.rolname = ANY ($3::text[]))
  AND (s.setdatabase = 0 OR d.datname = current_database())
