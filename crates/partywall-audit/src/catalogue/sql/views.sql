SELECT r.ev_class, c.reloptions, pg_get_viewdef(c.oid), r.ev_action::text,
       (SELECT array_agg(DISTINCT d.refobjid) FROM pg_depend d
         WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
           AND d.refobjid <> r.ev_class) AS reads,
       pg_relation_is_updatable(c.oid, false)
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE r.ev_type = '1' AND c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY r.ev_class
