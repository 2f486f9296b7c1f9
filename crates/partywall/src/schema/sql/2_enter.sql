-- The one entry function: nothing else sets the context.
--
-- It first undoes what a session may have kept from earlier work: settings, advisory locks and the
-- last values of sequences. Then it sets the context for this transaction through EXECUTE, not
-- through set_config, which Citus does not pass on to its workers.
CREATE FUNCTION partywall.enter(context text, statement_ms integer) RETURNS void
LANGUAGE plpgsql VOLATILE AS $partywall$
BEGIN
  PERFORM pg_catalog.pg_advisory_unlock_all();
  RESET ALL;
  DISCARD SEQUENCES;
  EXECUTE pg_catalog.format('SET LOCAL partywall.context = %L', context);
  IF statement_ms OPERATOR(pg_catalog.>) 0 THEN
    EXECUTE pg_catalog.format('SET LOCAL statement_timeout = %s', statement_ms);
  END IF;
END
$partywall$;
-- A narrower context inside a transaction, which keeps the transaction's other settings.
CREATE FUNCTION partywall.narrow(context text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $partywall$
BEGIN
  EXECUTE pg_catalog.format('SET LOCAL partywall.context = %L', context);
END
$partywall$;
