-- Takes an idempotency key for as long as the transaction lasts, or says that somebody has it. The lock
-- goes with the transaction, so nothing of it stays on the session.
CREATE OR REPLACE FUNCTION partywall.idempotency_claim(handle bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  RETURN pg_try_advisory_xact_lock(handle);
END
$partywall$;
REVOKE ALL ON FUNCTION partywall.idempotency_claim(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partywall.idempotency_claim(bigint) TO {app};
