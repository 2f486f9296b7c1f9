-- prove: read truncate alter
ALTER ROLE {app} SUPERUSER;
