//! More than one statement, transactions, and text that is read in more than one way.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "protocol",
        attacks: &[
            ("COMMIT", "the end of the transaction"),
            ("ROLLBACK", "the end of the transaction, undone"),
            ("/* SELECT */ COMMIT", "behind a comment"),
            (";COMMIT", "behind a semicolon"),
            ("COMMIT AND CHAIN", "another transaction"),
            ("ABORT", "ABORT"),
            ("END", "END"),
            ("BEGIN", "a transaction inside"),
            ("START TRANSACTION READ WRITE", "the same in other words"),
            ("SAVEPOINT s", "a savepoint"),
            ("ROLLBACK TO SAVEPOINT s", "back to a savepoint"),
            ("RELEASE s", "a savepoint released"),
            (
                "PREPARE TRANSACTION 'x'",
                "a transaction that outlives the session",
            ),
            ("COMMIT PREPARED 'x'", "the end of such a one"),
            (
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "another isolation",
            ),
            (
                "SET CONSTRAINTS ALL DEFERRED",
                "keys that are checked later",
            ),
            ("SELECT 1; SELECT * FROM note", "two statements"),
            (
                "SELECT 1; COMMIT; SET ROLE postgres; SELECT * FROM note",
                "several",
            ),
            (
                "SELECT 1; -- ' \n ; DELETE FROM note",
                "two with a comment between",
            ),
            ("SELECT $$;COMMIT;$$ ; COMMIT", "two with quotes"),
            (
                "SELECT 1) SELECT * FROM note --",
                "a bracket that closes ours",
            ),
            ("SELECT 1) AS q, note; --", "the same with more behind it"),
            ("SELECT 1 /*", "a comment that does not end"),
            ("SELECT 1 --", "a comment that swallows ours"),
            ("SELECT 'x", "a quote that does not end"),
            ("SELECT $a$ x", "a dollar quote that does not end"),
            ("SELECT E'\\'; COMMIT; --'", "a quote in a quote"),
            ("SELECT \"\" FROM note", "an empty name"),
            (
                "SELECT * FROM partywall_text",
                "our own name for the statement",
            ),
            (
                "WITH partywall_text AS (SELECT 1) SELECT * FROM partywall_text",
                "the same name again",
            ),
            ("SELECT $1", "a parameter that nobody gives"),
            (
                "SELECT * FROM note WHERE tenant_id = $1",
                "a parameter in a condition",
            ),
            ("SELECT U&'\\0047LOBEX'", "escaped letters"),
            ("select\u{a0}1", "a space that is none"),
            ("\u{feff}SELECT title FROM note", "a mark at the start"),
            ("SELECT '\\0'", "a zero"),
            ("EXECUTE partywall_enter", "the client's statement"),
            (
                "EXECUTE s1('{context}', 0)",
                "the entry function by the client's name for it",
            ),
        ],
        controls: &[
            ("SELECT title FROM note; -- that was all", "OWN"),
            ("/* a */ (((SELECT title FROM note)))", "OWN"),
            ("SELECT title FROM note --", "OWN"),
        ],
    }
}
