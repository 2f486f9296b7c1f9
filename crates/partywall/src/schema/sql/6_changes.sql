-- The channel on which changes are announced. PostgreSQL lets everybody listen to every channel that
-- they can name, so this name is a secret: only the functions that run as the owner read it.
CREATE TABLE partywall.channel (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  name text NOT NULL
);
INSERT INTO partywall.channel (name) VALUES ('partywall_' || replace(gen_random_uuid()::text, '-', ''));
-- Makes this session hear the announcements, without telling it where.
CREATE FUNCTION partywall.listen() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  EXECUTE format('LISTEN %I', (SELECT name FROM partywall.channel));
END
$partywall$;
-- Whether this session hears them still.
CREATE FUNCTION partywall.listening() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
  SELECT EXISTS (SELECT FROM partywall.channel WHERE name IN (SELECT pg_listening_channels()))
$partywall$;
-- Announces, when the transaction commits, what became of some rows of one owner. It must never be the
-- reason why a write fails, so what is too long for a notification is told by less. Only the triggers'
-- functions may call it, which run as the owner.
CREATE FUNCTION partywall.announce(relation text, op text, owner jsonb, keys jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE AS $partywall$
DECLARE
  payload pg_catalog.text := pg_catalog.jsonb_build_object('table', relation, 'op', op, 'owner', owner, 'keys', keys);
BEGIN
  IF pg_catalog.octet_length(payload) OPERATOR(pg_catalog.>) 7900 THEN
    payload := pg_catalog.jsonb_build_object('table', relation, 'op', 'many', 'owner', owner);
  END IF;
  IF pg_catalog.octet_length(payload) OPERATOR(pg_catalog.>) 7900 THEN
    payload := pg_catalog.jsonb_build_object('table', relation, 'op', 'many');
  END IF;
  PERFORM pg_catalog.pg_notify(name, payload) FROM partywall.channel;
END
$partywall$;
-- Announces that more rows have changed than are told one by one: to each owner, or to all where these
-- are too many as well.
CREATE FUNCTION partywall.announce_many(relation text, owners jsonb[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
BEGIN
  IF cardinality(owners) > 100 THEN
    PERFORM partywall.announce(relation, 'many', NULL, NULL);
  ELSE
    PERFORM partywall.announce(relation, 'many', owner, NULL) FROM unnest(owners) AS owner;
  END IF;
END
$partywall$;
