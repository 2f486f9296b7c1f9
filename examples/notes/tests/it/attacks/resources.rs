//! Taking so much that nothing is left for others.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "resources",
        attacks: &[
            ("SELECT pg_sleep(3600)", "sleep"),
            ("SELECT pg_sleep_for('1 hour')", "sleep, another way"),
            (
                "SELECT count(*) FROM generate_series(1, 1000000000000)",
                "counting",
            ),
            (
                "SELECT * FROM generate_series(1, 1000000000) a, generate_series(1, 1000000000) b",
                "endless rows",
            ),
            (
                "SELECT count(*) FROM note a, note b, note c, note d, note e, note f, note g, note h, note i, note j, note k, note l, note m, note n, note o, note p",
                "a product of tables",
            ),
            (
                "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
                "an endless recursion",
            ),
            (
                "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
                "an endless recursion of rows",
            ),
            ("SELECT repeat('x', 100000000)", "a large value"),
            (
                "SELECT repeat('x', 10000000)::int",
                "a large value in an error",
            ),
            ("SELECT array_fill(1, ARRAY[10000000])", "a large array"),
            (
                "SELECT ('(a+)+$' || repeat('a', 30)) ~ '^(a+)+$'",
                "a slow pattern",
            ),
            (
                "SELECT regexp_matches(repeat('a', 50000) || 'b', '(a*)*(a*)*c')",
                "a slower pattern",
            ),
            ("SELECT factorial(30000)", "large numbers"),
            ("SELECT 10::numeric ^ 100000 % 7", "more of them"),
            (
                "SELECT set_config('statement_timeout', '0', true), pg_sleep(5)",
                "the limit lifted",
            ),
            (
                "SELECT partywall.enter(current_setting('partywall.context'), 0), pg_sleep(5)",
                "the limit lifted by the entry function",
            ),
            ("SELECT set_config('work_mem', '2GB', true)", "more memory"),
            (
                "SELECT pg_advisory_xact_lock(8098999093447229804), pg_sleep(5)",
                "the lock of migrations held",
            ),
            (
                "SELECT *, pg_sleep(5) FROM note FOR UPDATE",
                "rows locked for long",
            ),
            ("LOCK TABLE note IN ACCESS EXCLUSIVE MODE", "a table locked"),
            (
                "LOCK TABLE identity.tenant, identity.credential, identity.session",
                "the tables of signing in locked",
            ),
            (
                "SELECT pg_notify('a', repeat('x', 7999)) FROM generate_series(1, 1000)",
                "a queue filled",
            ),
            (
                "SELECT nextval('partywall.crossing_id_seq') FROM generate_series(1, 1000)",
                "numbers used up",
            ),
        ],
        controls: &[
            ("SELECT title, pg_sleep(0.01) FROM note", "OWN"),
            ("SELECT count(*) FROM generate_series(1, 1000)", "1000"),
        ],
    }
}
