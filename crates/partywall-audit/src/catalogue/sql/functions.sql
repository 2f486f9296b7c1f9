-- `prosqlbody` came with PostgreSQL 14.
SELECT p.oid, p.pronamespace, n.nspname::text, p.proname::text, pg_get_function_identity_arguments(p.oid),
       p.proargtypes::oid[], p.prorettype, p.prokind::text, p.proowner, l.lanname::text,
       p.provolatile::text, p.prosecdef, p.proleakproof, p.proconfig, coalesce(p.prosrc, ''),
       to_jsonb(p) ->> 'prosqlbody',
       (SELECT e.extname::text FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
         WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
           AND d.refclassid = 'pg_extension'::regclass LIMIT 1),
       CASE WHEN p.prokind IN ('f', 'p') AND l.lanname IN ('sql', 'plpgsql') THEN pg_get_functiondef(p.oid) END,
       (SELECT array_agg(a.name ORDER BY a.at) FROM unnest(p.proargnames, p.proargmodes) WITH ORDINALITY a (name, mode, at)
         WHERE coalesce(a.mode, 'i') IN ('i', 'b', 'v')), p.provariadic <> 0
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY p.oid
