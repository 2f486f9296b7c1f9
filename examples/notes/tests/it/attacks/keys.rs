//! The wall's own tables and functions.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "the wall itself",
        attacks: &[
            ("SELECT * FROM partywall.seal_key", "the keys"),
            (
                "SELECT encode(inner_pad, 'hex') FROM partywall.seal_key",
                "a key's bytes",
            ),
            (
                "SELECT query_to_xml('SELECT * FROM partywall.seal_key', true, true, '')",
                "the keys through a function",
            ),
            (
                "INSERT INTO partywall.seal_key VALUES ('mine', '\\x00', '\\x00')",
                "a key of one's own",
            ),
            ("DELETE FROM partywall.seal_key", "no keys"),
            ("UPDATE partywall.seal_key SET id = 'x'", "other keys"),
            ("COPY partywall.seal_key TO STDOUT", "the keys by COPY"),
            ("LOCK TABLE partywall.seal_key", "the keys locked"),
            (
                "SELECT * FROM partywall.crossing",
                "the record of crossings",
            ),
            ("DELETE FROM partywall.crossing", "the record deleted"),
            ("SELECT partywall.cross('x', 'y', 1)", "a crossing recorded"),
            (
                "UPDATE partywall.expected SET definition = 'x'",
                "what is expected",
            ),
            ("DELETE FROM partywall.applied", "what was applied"),
            (
                "INSERT INTO partywall.migration (name, checksum) VALUES ('x', 'y')",
                "a migration",
            ),
            (
                "SELECT most_common_vals::text FROM pg_stats WHERE tablename IN ('note', 'seal_key')",
                "the statistics of the columns",
            ),
            (
                "SELECT stavalues1::text FROM pg_statistic",
                "the statistics as they are kept",
            ),
            ("SELECT partywall.tenant_list()", "the reader of lists"),
            (
                "SELECT partywall.\"user\"()",
                "a dimension that is not there",
            ),
            (
                "SELECT partywall.email() UNION ALL SELECT password_hash FROM identity.credential",
                "a dimension and its table",
            ),
            ("DROP SCHEMA partywall CASCADE", "all of it"),
            (
                "ALTER TABLE note DISABLE ROW LEVEL SECURITY",
                "row-level security off",
            ),
            ("ALTER TABLE note NO FORCE ROW LEVEL SECURITY", "not forced"),
            ("DROP POLICY partywall_rows ON note", "a policy dropped"),
            (
                "CREATE POLICY mine ON note USING (true)",
                "a policy of one's own",
            ),
            (
                "ALTER POLICY partywall_app_tenant ON note USING (true)",
                "a policy changed",
            ),
            ("ALTER TABLE note OWNER TO CURRENT_USER", "the table taken"),
            (
                "ALTER TABLE note ALTER tenant_id SET DEFAULT '{globex}'",
                "another default",
            ),
            (
                "ALTER TABLE note DISABLE TRIGGER ALL",
                "triggers and keys off",
            ),
            ("DROP TABLE note CASCADE", "the table dropped"),
            ("CREATE VIEW mine AS SELECT * FROM note", "a view"),
            (
                "CREATE MATERIALIZED VIEW mine AS SELECT * FROM note",
                "a materialised view",
            ),
            (
                "CREATE RULE mine AS ON SELECT TO note DO INSTEAD SELECT 1",
                "a rule",
            ),
            ("CREATE INDEX mine ON note (title)", "an index"),
            (
                "CREATE TRIGGER mine BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                "a trigger",
            ),
            ("COMMENT ON TABLE note IS 'x'", "a comment"),
            ("SECURITY LABEL ON TABLE note IS 'x'", "a label"),
            ("REINDEX TABLE note", "REINDEX"),
            ("ANALYZE note", "ANALYZE"),
        ],
        controls: &[
            (
                "SELECT DISTINCT object FROM partywall.expected",
                "public.note",
            ),
            ("SELECT count(*) FROM partywall.applied", "\"1\""),
        ],
    }
}
