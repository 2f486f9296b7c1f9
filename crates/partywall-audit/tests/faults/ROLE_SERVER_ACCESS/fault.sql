-- prove: cannot: a program that was started is not rolled back
CREATE ROLE {loaders};
GRANT pg_read_server_files TO {loaders};
GRANT {loaders} TO {app};
