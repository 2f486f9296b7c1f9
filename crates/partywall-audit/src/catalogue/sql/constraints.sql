SELECT k.conrelid, k.oid, k.conname::text, k.contype::text, k.conkey, k.confrelid, k.confkey,
       k.confdeltype::text, k.confupdtype::text, k.convalidated, pg_get_constraintdef(k.oid), k.conparentid
  FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
 WHERE k.conrelid <> 0 AND k.contype IN ('p', 'u', 'f', 'c', 'x')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY k.conrelid, k.conname
