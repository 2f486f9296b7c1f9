-- prove: cannot: it is no row of a tenant's
GRANT pg_monitor TO {app};
