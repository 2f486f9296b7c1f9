GRANT pg_monitor TO {app};
