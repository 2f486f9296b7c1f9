-- The keys that are known, in a form that tells a planted one and opens nothing: any login may read it.
CREATE FUNCTION partywall.seal_keys() RETURNS TABLE (name text, pads text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $partywall$
  SELECT id, encode(sha256(inner_pad || outer_pad), 'hex') FROM partywall.seal_key
$partywall$;
