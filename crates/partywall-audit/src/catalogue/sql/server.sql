SELECT current_setting('server_version_num')::int4, version(), current_database()::text, d.datdba,
       (SELECT oid FROM pg_roles WHERE rolname = current_user), pg_is_in_recovery(),
       -- Whether everybody may: as the rights of PUBLIC say.
       EXISTS (SELECT FROM pg_class c, aclexplode(c.relacl) a
                WHERE c.oid = 'pg_stat_activity'::regclass AND a.grantee = 0 AND a.privilege_type = 'SELECT')
       OR EXISTS (SELECT FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                WHERE p.proname IN ('pg_stat_get_activity', 'pg_stat_get_backend_activity')
                  AND p.pronamespace = 'pg_catalog'::regnamespace AND a.grantee = 0),
       EXISTS (SELECT FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                WHERE p.proname IN ('lo_get', 'lo_open') AND p.pronamespace = 'pg_catalog'::regnamespace AND a.grantee = 0),
       EXISTS (SELECT FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                WHERE p.proname ~ '^pg_(try_)?advisory_(xact_)?lock' AND p.pronamespace = 'pg_catalog'::regnamespace
                  AND a.grantee = 0),
       EXISTS (SELECT FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                WHERE p.proname = 'set_config' AND p.pronamespace = 'pg_catalog'::regnamespace AND a.grantee = 0)
       OR EXISTS (SELECT FROM pg_class c, aclexplode(c.relacl) a
                WHERE c.oid = 'pg_settings'::regclass AND a.grantee = 0 AND a.privilege_type = 'UPDATE'),
       -- The mended view asks for the rights of the table's owner (a call of pg_has_role(oid, text)).
       current_setting('server_version_num')::int4 BETWEEN 140000 AND 169999
       AND EXISTS (SELECT FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid, aclexplode(c.relacl) a
                WHERE c.oid = 'pg_stats_ext'::regclass AND a.grantee = 0 AND a.privilege_type = 'SELECT'
                  AND r.ev_action::text !~ (':funcid ' || 'pg_has_role(oid,text)'::regprocedure::oid || ' ')),
       current_setting('lo_compat_privileges')::boolean
  FROM pg_database d WHERE d.datname = current_database()
