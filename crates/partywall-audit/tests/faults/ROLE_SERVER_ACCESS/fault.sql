CREATE ROLE {loaders};
GRANT pg_read_server_files TO {loaders};
GRANT {loaders} TO {app};
