-- An operator class is leakproof if every operator of its family for its type is. Those of B-trees, hashes and
-- block ranges that compare with another type have classes of their own; others search for another type as a rule
-- (`tsvector @@ tsquery`).
WITH class AS (
  SELECT o.oid,
         NOT EXISTS (
           SELECT FROM pg_amop m JOIN pg_operator p ON p.oid = m.amopopr JOIN pg_proc f ON f.oid = p.oprcode
            WHERE m.amopfamily = o.opcfamily AND m.amoppurpose = 's'
              AND m.amoplefttype = o.opcintype
              AND (m.amoprighttype = o.opcintype OR a.amname NOT IN ('btree', 'hash', 'brin'))
              AND NOT f.proleakproof) AS leakproof
    FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod),
-- The indexes of which an expression may tell of what it is made of (`contain_leaked_vars`, clauses.c).
leaky AS (
  SELECT i.indexrelid FROM pg_index i
   WHERE i.indexprs::text ~ '\{(COALESCE|COALESCEEXPR|COERCEVIAIO|MINMAX|MINMAXEXPR) '
      OR EXISTS (SELECT FROM regexp_matches(i.indexprs::text, ':funcid (\d+) ', 'g') m
                   JOIN pg_proc f ON f.oid = m[1]::oid WHERE NOT f.proleakproof)
      OR EXISTS (SELECT FROM regexp_matches(i.indexprs::text, ':opno (\d+) ', 'g') m
                   JOIN pg_operator p ON p.oid = m[1]::oid JOIN pg_proc f ON f.oid = p.oprcode
                  WHERE NOT f.proleakproof))
SELECT i.indrelid, i.indexrelid, c.relname::text, m.amname::text, i.indisunique, i.indisexclusion,
       i.indisvalid AND i.indisready, i.indpred IS NOT NULL,
       (SELECT array_agg(k.attnum ORDER BY k.at) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, at)
         WHERE k.at <= i.indnkeyatts) AS columns,
       (SELECT array_agg(class.leakproof
                 AND (key.attnum <> 0 OR NOT EXISTS (SELECT FROM leaky WHERE leaky.indexrelid = i.indexrelid))
                 ORDER BY k.at)
          FROM unnest(i.indclass::oid[]) WITH ORDINALITY k (opclass, at)
          JOIN unnest(i.indkey::int2[]) WITH ORDINALITY key (attnum, at) ON key.at = k.at
          JOIN class ON class.oid = k.opclass) AS leakproof,
       (SELECT k.oid FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') LIMIT 1),
       pg_get_indexdef(i.indexrelid),
       (SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = i.indexrelid LIMIT 1)
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_am m ON m.oid = c.relam
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY i.indrelid, c.relname
