-- A role of PostgreSQL's own that reads nothing.
CREATE ROLE {watcher} LOGIN;
GRANT pg_monitor TO {watcher};
GRANT pg_signal_backend TO {app};
