//! Becoming somebody else.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "roles",
        attacks: &[
            ("SET ROLE postgres", "the superuser"),
            ("SET ROLE NONE", "nobody"),
            ("SET LOCAL ROLE postgres", "the superuser for a transaction"),
            (
                "SET SESSION AUTHORIZATION postgres",
                "the superuser's session",
            ),
            ("SET SESSION AUTHORIZATION DEFAULT", "one's own session"),
            ("RESET ROLE", "the role before"),
            ("RESET SESSION AUTHORIZATION", "the session before"),
            ("SET ROLE pg_read_all_data", "who reads all"),
            ("SET ROLE pg_monitor", "who watches all"),
            ("SET ROLE pg_signal_backend", "who stops all"),
            (
                "GRANT pg_read_all_data TO CURRENT_USER",
                "a right granted to oneself",
            ),
            ("GRANT ALL ON note TO PUBLIC", "the table for everybody"),
            ("GRANT postgres TO CURRENT_USER", "membership"),
            ("REVOKE ALL ON note FROM {app}", "a right taken"),
            ("ALTER ROLE CURRENT_USER SUPERUSER", "more rights"),
            ("ALTER ROLE CURRENT_USER BYPASSRLS", "the right to bypass"),
            ("ALTER ROLE CURRENT_USER PASSWORD 'x'", "another password"),
            (
                "ALTER ROLE CURRENT_USER CONNECTION LIMIT 0",
                "no more connections",
            ),
            (
                "ALTER ROLE CURRENT_USER VALID UNTIL '2000-01-01'",
                "a login that has expired",
            ),
            (
                "ALTER ROLE CURRENT_USER SET statement_timeout = 1",
                "a login without time",
            ),
            (
                "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on",
                "a login that cannot write",
            ),
            (
                "ALTER ROLE CURRENT_USER SET role = 'postgres'",
                "a login that becomes another",
            ),
            ("CREATE ROLE mallory SUPERUSER", "a role"),
            ("DROP ROLE {app}", "no role"),
            (
                "REASSIGN OWNED BY postgres TO CURRENT_USER",
                "what others own",
            ),
            ("DROP OWNED BY CURRENT_USER", "one's own rights dropped"),
            (
                "SELECT rolpassword FROM pg_authid",
                "the passwords' verifiers",
            ),
            (
                "SELECT usename, passwd FROM pg_shadow",
                "the same, as a view",
            ),
        ],
        controls: &[
            ("SELECT current_user", "_app"),
            (
                "SELECT title FROM note WHERE session_user = current_user",
                "OWN",
            ),
        ],
    }
}
