  SELECT * INTO seal_key FROM partywall.seal_key k WHERE k.id OPERATOR(pg_catalog.=) key_id;
  -- HMAC-SHA-256 (RFC 2104) from the two pads. Both sides are hashed with the key once more before
  -- they are compared, so that the time the comparison takes tells nothing of the right value. What
  -- is wrong with a context is not told: an unknown key, a wrong seal and an old one read the same.
  IF seal_key.id IS NULL
    OR pg_catalog.sha256(seal_key.outer_pad OPERATOR(pg_catalog.||)
       pg_catalog.convert_to(pg_catalog.left(raw, 64), 'UTF8'))
     OPERATOR(pg_catalog.<>)
     pg_catalog.sha256(seal_key.outer_pad OPERATOR(pg_catalog.||)
       pg_catalog.convert_to(pg_catalog.encode(
         pg_catalog.sha256(seal_key.outer_pad OPERATOR(pg_catalog.||)
           pg_catalog.sha256(seal_key.inner_pad OPERATOR(pg_catalog.||)
             pg_catalog.convert_to(message, 'UTF8'))), 'hex'), 'UTF8'))
    OR expires::pg_catalog.int8 OPERATOR(pg_catalog.<)
     pg_catalog.extract('epoch', pg_catalog.transaction_timestamp())
  THEN
    RAISE EXCEPTION USING ERRCODE = 'PW002', MESSAGE = 'the context is not valid';
  END IF;
  scope := pg_catalog.substr(message, pg_catalog.length(key_id) OPERATOR(pg_catalog.+)
    pg_catalog.length(expires) OPERATOR(pg_catalog.+) 3)::pg_catalog.json;
