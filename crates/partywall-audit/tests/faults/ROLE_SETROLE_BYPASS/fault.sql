-- prove: cannot: the role that bypasses policies has no right to a table of the tenants
-- Two steps, and none of them inherits.
CREATE ROLE {staff} NOINHERIT;
CREATE ROLE {support} BYPASSRLS;
GRANT {support} TO {staff};
GRANT {staff} TO {app};
