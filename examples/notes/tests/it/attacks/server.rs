//! The server's files, other sessions, and large objects.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "server",
        attacks: &[
            ("SELECT pg_read_file('PG_VERSION')", "a file"),
            ("SELECT pg_read_file('/etc/passwd')", "a file elsewhere"),
            (
                "SELECT pg_read_binary_file('global/pg_control')",
                "a file's bytes",
            ),
            ("SELECT pg_ls_dir('.')", "a folder"),
            ("SELECT * FROM pg_ls_waldir()", "the log's folder"),
            ("SELECT pg_stat_file('PG_VERSION')", "a file's size"),
            ("SELECT pg_current_logfile()", "the log"),
            (
                "SELECT lo_import('/etc/passwd')",
                "a file as a large object",
            ),
            (
                "SELECT lo_export(1, '/tmp/notes-lo')",
                "a large object as a file",
            ),
            ("SELECT lo_create(4711)", "a large object"),
            ("SELECT lo_creat(-1)", "a large object, the old way"),
            (
                "SELECT lo_from_bytea(0, 'GLOBEX')",
                "a large object with bytes",
            ),
            ("SELECT lo_get(4711)", "a large object read"),
            ("SELECT lo_put(4711, 0, 'x')", "a large object written"),
            ("SELECT lo_unlink(4711)", "a large object removed"),
            (
                "SELECT pg_terminate_backend(n, 0) FROM generate_series(1, 10) n",
                "sessions ended",
            ),
            (
                "SELECT pg_terminate_backend(pid, 0) FROM pg_locks",
                "sessions ended by their locks",
            ),
            (
                "SELECT pg_cancel_backend(pid) FROM pg_locks WHERE pid <> pg_backend_pid()",
                "statements stopped",
            ),
            (
                "SELECT pg_cancel_backend(pg_backend_pid())",
                "one's own statement stopped",
            ),
            (
                "SELECT pg_terminate_backend(pg_backend_pid(), 0)",
                "one's own session ended",
            ),
            (
                "SELECT pg_log_backend_memory_contexts(pg_backend_pid())",
                "noise in the log",
            ),
            ("SELECT pg_reload_conf()", "settings loaded anew"),
            ("SELECT pg_rotate_logfile()", "a new log"),
            ("SELECT pg_promote()", "a promotion"),
            ("SELECT pg_switch_wal()", "a new segment of the log"),
            ("SELECT pg_create_restore_point('x')", "a restore point"),
            ("SELECT pg_backup_start('x')", "a backup"),
            (
                "SELECT pg_create_logical_replication_slot('x', 'test_decoding')",
                "a slot that reads all changes",
            ),
            (
                "SELECT pg_create_physical_replication_slot('x')",
                "a slot that keeps all changes",
            ),
            ("SELECT pg_export_snapshot()", "a snapshot"),
            ("SELECT pg_stat_reset()", "no statistics"),
            (
                "SELECT pg_stat_reset_shared('bgwriter')",
                "no shared statistics",
            ),
            ("SELECT pg_import_system_collations('public')", "collations"),
            ("SELECT pg_replication_origin_create('x')", "an origin"),
            (
                "SELECT pg_nextoid('pg_class', 'oid', 'pg_class_oid_index')",
                "a new id",
            ),
            (
                "SELECT binary_upgrade_set_record_init_privs(true)",
                "a function for upgrades",
            ),
            ("CREATE DATABASE mine", "a database"),
            ("DROP DATABASE postgres", "no database"),
            ("CREATE TABLESPACE mine LOCATION '/tmp'", "a tablespace"),
            ("CHECKPOINT", "a checkpoint"),
            ("VACUUM FULL note", "VACUUM"),
            ("CLUSTER note", "CLUSTER"),
        ],
        controls: &[
            ("SELECT pg_backend_pid() > 0, title FROM note", "OWN"),
            ("SELECT pg_size_pretty(1024::bigint)", "1024 bytes"),
        ],
    }
}
