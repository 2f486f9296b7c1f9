  message pg_catalog.text := pg_catalog.substr(raw, 66);
  key_id pg_catalog.text := pg_catalog.split_part(message, '.', 1);
  expires pg_catalog.text := pg_catalog.split_part(message, '.', 2);
  seal_key partywall.seal_key;
