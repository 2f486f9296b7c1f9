SELECT t.tgrelid, t.tgname::text, t.tgfoid, t.tgenabled <> 'D', pg_get_triggerdef(t.oid), t.tgenabled IN ('A', 'R')
  FROM pg_trigger t WHERE NOT t.tgisinternal ORDER BY t.tgrelid, t.tgname
