-- Entering a scope undoes more of what a session may have kept: cursors that outlived their transaction,
-- and listeners. Where the application's connections are a pooler's, closing one of them leaves the
-- session as it was, so nothing else would.
CREATE OR REPLACE FUNCTION partywall.enter(context text, statement_ms integer) RETURNS void
LANGUAGE plpgsql VOLATILE AS $partywall$
BEGIN
  PERFORM pg_catalog.pg_advisory_unlock_all();
  RESET ALL;
  DISCARD SEQUENCES;
  UNLISTEN *;
  -- In PL/pgSQL itself CLOSE knows its own cursors only.
  EXECUTE pg_catalog.format('CLOSE ALL; SET LOCAL partywall.context = %L', context);
  IF statement_ms OPERATOR(pg_catalog.>) 0 THEN
    EXECUTE pg_catalog.format('SET LOCAL statement_timeout = %s', statement_ms);
  END IF;
END
$partywall$;
