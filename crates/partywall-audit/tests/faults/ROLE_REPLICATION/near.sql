-- The attribute is not inherited, and the application is not a member: the other way about.
CREATE ROLE {replica} LOGIN REPLICATION;
GRANT {app} TO {replica};
