-- Loops inside the server, so that neither the wire nor the client is measured: each runs one
-- statement a number of times and tells how many microseconds one took. Run by whom, and in which
-- context, is the caller's choice.
CREATE SCHEMA bench;
DO $do$
DECLARE
  title text;
  body text;
BEGIN
  FOR title, body IN VALUES
    ('nothing', 'NULL'),
    ('enter', 'PERFORM partywall.enter(context, 30000)'),
    ('unlock', 'PERFORM pg_catalog.pg_advisory_unlock_all()'),
    ('reset', 'RESET ALL'),
    ('discard', 'DISCARD SEQUENCES'),
    ('set_context', $$EXECUTE pg_catalog.format('SET LOCAL partywall.context = %L', context)$$),
    ('set_timeout', $$EXECUTE pg_catalog.format('SET LOCAL statement_timeout = %s', 30000)$$),
    ('setting', $$PERFORM pg_catalog.set_config('peer.tenant', context, true)$$),
    ('tenant', 'PERFORM partywall.tenant()'),
    ('point', 'PERFORM * FROM note WHERE id = key'),
    ('point_by_hand', 'PERFORM * FROM note WHERE tenant_id = owner AND id = key'),
    ('list', 'PERFORM * FROM note ORDER BY id LIMIT 50'),
    ('list_by_hand', 'PERFORM * FROM note WHERE tenant_id = owner ORDER BY id LIMIT 50'),
    ('count', 'PERFORM count(*) FROM note'),
    ('count_by_hand', 'PERFORM count(*) FROM note WHERE tenant_id = owner')
  LOOP
    EXECUTE format($loop$
      CREATE FUNCTION bench.%I(times integer, keys uuid[], owner uuid, context text) RETURNS float8
      LANGUAGE plpgsql AS $body$
      DECLARE
        started timestamptz := clock_timestamp();
        key uuid;
      BEGIN
        FOR i IN 1..times LOOP
          key := keys[1 + i %% cardinality(keys)];
          %s;
        END LOOP;
        RETURN extract(epoch FROM clock_timestamp() - started)::float8 * 1e6 / times;
      END
      $body$ $loop$, title, body);
  END LOOP;
  FOR title, body IN
    SELECT form || '_' || kind, format(statement, kind)
    FROM (VALUES ('own'), ('copy'), ('exists')) AS kinds (kind),
    (VALUES
      ('point', 'PERFORM * FROM comment_%s WHERE id = key'),
      ('below', 'PERFORM * FROM comment_%s WHERE topic_id = key'),
      ('list', 'PERFORM * FROM comment_%s ORDER BY id LIMIT 50'),
      ('count', 'PERFORM count(*) FROM comment_%s'),
      ('insert', $$INSERT INTO comment_%s (id, topic_id, body)
                   VALUES (gen_random_uuid(), key, 'a remark of some forty characters')$$)
    ) AS forms (form, statement)
  LOOP
    EXECUTE format($loop$
      CREATE FUNCTION bench.%I(times integer, keys uuid[]) RETURNS float8
      LANGUAGE plpgsql AS $body$
      DECLARE
        started timestamptz := clock_timestamp();
        key uuid;
      BEGIN
        FOR i IN 1..times LOOP
          key := keys[1 + i %% cardinality(keys)];
          %s;
        END LOOP;
        RETURN extract(epoch FROM clock_timestamp() - started)::float8 * 1e6 / times;
      END
      $body$ $loop$, title, body);
  END LOOP;
END
$do$;
GRANT USAGE ON SCHEMA bench TO bench_app;
