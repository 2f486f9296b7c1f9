-- prove: cannot: it takes somebody else to call what was made
-- As public was before PostgreSQL 15, and is after an upgrade from there.
GRANT CREATE ON SCHEMA public TO PUBLIC;
