-- prove: cannot: a slot outlives the transaction, and other servers' logs are read by it
ALTER ROLE {app} REPLICATION;
