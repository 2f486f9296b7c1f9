//! What the system's catalogue tells.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "catalogue",
        attacks: &[
            ("SELECT * FROM pg_stats", "all statistics"),
            ("SELECT * FROM pg_stats_ext", "extended statistics"),
            ("SELECT * FROM pg_stat_activity", "what others run"),
            (
                "SELECT pg_stat_get_activity(NULL)",
                "the same by its function",
            ),
            (
                "SELECT pg_stat_get_backend_activity(n) FROM generate_series(1, 100) n",
                "the same for each",
            ),
            ("SELECT query FROM pg_stat_statements", "what was run"),
            (
                "SELECT * FROM pg_prepared_statements",
                "prepared statements",
            ),
            ("SELECT * FROM pg_cursors", "cursors"),
            ("SELECT * FROM pg_locks", "locks"),
            ("SELECT * FROM pg_settings", "settings"),
            ("SELECT * FROM pg_file_settings", "the settings' files"),
            ("SELECT * FROM pg_hba_file_rules", "who may connect"),
            ("SELECT * FROM pg_largeobject", "large objects"),
            (
                "SELECT * FROM pg_largeobject_metadata",
                "whose large objects",
            ),
            (
                "SELECT prosrc FROM pg_proc WHERE pronamespace = 'partywall'::regnamespace",
                "the functions' text",
            ),
            (
                "SELECT pg_get_functiondef('partywall.tenant()'::regprocedure)",
                "a function's text",
            ),
            (
                "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy",
                "the policies' text",
            ),
            ("SELECT * FROM information_schema.columns", "the columns"),
            (
                "SELECT column_default FROM information_schema.columns WHERE table_name = 'note'",
                "the defaults",
            ),
            (
                "SELECT * FROM pg_class WHERE relname = 'note'",
                "the tables",
            ),
            ("SELECT * FROM pg_user_mappings", "foreign logins"),
            ("SELECT * FROM pg_subscription", "subscriptions"),
            ("SELECT * FROM pg_replication_slots", "slots"),
            (
                "SELECT * FROM pg_stat_ssl, pg_stat_gssapi",
                "others' connections",
            ),
            ("SELECT pg_relation_filepath('note')", "where the rows lie"),
            (
                "SELECT * FROM pg_stat_user_tables",
                "how many rows were touched",
            ),
            (
                "UPDATE pg_class SET relrowsecurity = false",
                "the catalogue changed",
            ),
            (
                "DELETE FROM pg_policy",
                "the policies deleted from the catalogue",
            ),
            (
                "UPDATE pg_proc SET prosrc = 'x' WHERE proname = 'tenant'",
                "a function changed in the catalogue",
            ),
            (
                "INSERT INTO pg_auth_members VALUES (1, 2, 3, true)",
                "a membership in the catalogue",
            ),
        ],
        controls: &[
            (
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'note'",
                "tenant_id",
            ),
            (
                "SELECT relname, (SELECT max(title) FROM note) FROM pg_class WHERE relname = 'note'",
                "OWN",
            ),
        ],
    }
}
