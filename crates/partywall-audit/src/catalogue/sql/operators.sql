SELECT o.oid, o.oprname::text,
       EXISTS (SELECT FROM pg_amop a JOIN pg_am m ON m.oid = a.amopmethod
                WHERE a.amopopr = o.oid AND a.amoppurpose = 's'
                  AND (m.amname = 'btree' AND a.amopstrategy = 3 OR m.amname = 'hash' AND a.amopstrategy = 1)),
       EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e'
                  AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'citext')
  FROM pg_operator o
