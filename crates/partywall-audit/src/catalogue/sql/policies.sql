SELECT p.polrelid, p.polname::text, p.polpermissive, p.polcmd::text, p.polroles,
       pg_get_expr(p.polqual, p.polrelid), p.polqual::text,
       pg_get_expr(p.polwithcheck, p.polrelid), p.polwithcheck::text
  FROM pg_policy p
 ORDER BY p.polrelid, p.polname
