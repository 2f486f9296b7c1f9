-- A superuser that is nothing to the application, and is a member of it.
CREATE ROLE {admin} SUPERUSER;
GRANT {app} TO {admin};
