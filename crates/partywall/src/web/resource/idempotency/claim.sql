-- Takes an idempotency key for as long as the transaction lasts, or says that somebody has it, and looks
-- up what it stands for. The look comes after the lock, in a statement of its own: whoever had the lock
-- has committed by then, and a snapshot from before would not show it. It runs as who asks, inside of
-- their scope. The lock goes with the transaction, so nothing of it stays on the session.
CREATE OR REPLACE FUNCTION partywall.idempotency_claim(lock bigint, wanted text)
RETURNS TABLE (
  claimed boolean, id uuid, fingerprint text, status smallint, location text, etag text, body bytea,
  is_expired boolean)
LANGUAGE plpgsql VOLATILE SECURITY INVOKER SET search_path = pg_catalog AS $partywall$
BEGIN
  claimed := pg_try_advisory_xact_lock(lock);
  IF claimed THEN
    SELECT k.id, k.fingerprint, k.status, k.location, k.etag, k.body, k.expires_at <= now()
    INTO id, fingerprint, status, location, etag, body, is_expired
    FROM web.idempotency_key k WHERE k.handle = wanted;
  END IF;
  RETURN NEXT;
END
$partywall$;
REVOKE ALL ON FUNCTION partywall.idempotency_claim(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partywall.idempotency_claim(bigint, text) TO {app};
