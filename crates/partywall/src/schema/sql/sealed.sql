  SELECT * INTO seal_key FROM partywall.seal_key k WHERE k.id OPERATOR(pg_catalog.=) key_id;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  -- HMAC-SHA-256 (RFC 2104) from the two pads. Both sides are hashed with the key once more before
  -- they are compared, so that the time the comparison takes tells nothing of the right value.
  IF pg_catalog.sha256(seal_key.outer_pad OPERATOR(pg_catalog.||)
       pg_catalog.convert_to(pg_catalog.left(raw, 64), 'UTF8'))
     OPERATOR(pg_catalog.<>)
     pg_catalog.sha256(seal_key.outer_pad OPERATOR(pg_catalog.||)
       pg_catalog.convert_to(pg_catalog.encode(
         pg_catalog.sha256(seal_key.outer_pad OPERATOR(pg_catalog.||)
           pg_catalog.sha256(seal_key.inner_pad OPERATOR(pg_catalog.||)
             pg_catalog.convert_to(message, 'UTF8'))), 'hex'), 'UTF8'))
  THEN
    RETURN NULL;
  END IF;
  IF expires::pg_catalog.int8 OPERATOR(pg_catalog.<)
     pg_catalog.extract('epoch', pg_catalog.transaction_timestamp()) THEN
    RETURN NULL;
  END IF;
  scope := pg_catalog.substr(message, pg_catalog.length(key_id) OPERATOR(pg_catalog.+)
    pg_catalog.length(expires) OPERATOR(pg_catalog.+) 3)::pg_catalog.json;
