-- A member of a group that can do no more than it.
CREATE ROLE {readers};
CREATE ROLE {support} BYPASSRLS;
GRANT {readers} TO {support};
GRANT {readers} TO {app};
