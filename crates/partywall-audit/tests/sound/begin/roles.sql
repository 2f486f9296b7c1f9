-- The roles of most correct schemas: an owner that nobody logs in as, and the application's login.
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {app} LOGIN PASSWORD 'secret';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {app};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
SET ROLE {owner};
