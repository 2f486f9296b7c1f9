CREATE ROLE {loaders};
GRANT pg_read_server_files TO {loaders};
GRANT {app} TO {loaders};
