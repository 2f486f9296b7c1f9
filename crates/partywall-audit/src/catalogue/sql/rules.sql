SELECT r.ev_class, r.oid, r.rulename::text, r.ev_type::text, pg_get_ruledef(r.oid),
       (SELECT array_agg(DISTINCT d.refobjid) FROM pg_depend d
         WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
           AND d.refobjid <> r.ev_class) AS touches
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE r.ev_type <> '1' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY r.ev_class, r.rulename
