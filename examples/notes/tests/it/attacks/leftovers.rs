//! What the next user of a connection could stumble over.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "leftovers",
        attacks: &[
            (
                "CREATE TEMP TABLE note AS SELECT 'x' AS title",
                "a temporary table in front of the real one",
            ),
            ("CREATE TEMPORARY VIEW note AS SELECT 1", "a temporary view"),
            ("CREATE TEMP SEQUENCE s", "a temporary sequence"),
            (
                "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "a temporary function",
            ),
            (
                "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM note",
                "a cursor that outlives the transaction",
            ),
            ("DECLARE c CURSOR FOR SELECT * FROM note", "a cursor"),
            ("FETCH ALL FROM c", "somebody's cursor read"),
            ("MOVE ALL FROM c", "somebody's cursor moved"),
            ("CLOSE ALL", "all cursors closed"),
            (
                "PREPARE s0 AS SELECT 'poisoned'",
                "the name that a client may use next",
            ),
            (
                "PREPARE s1 (text, int) AS SELECT $1, $2",
                "another such name",
            ),
            ("EXECUTE s0", "somebody's statement run"),
            ("DEALLOCATE ALL", "all statements forgotten"),
            (
                "SET search_path = pg_temp, partywall",
                "another search path",
            ),
            ("SET statement_timeout = 0", "no time limit"),
            ("SET statement_timeout = 1", "no time at all"),
            ("SET transaction_read_only = on", "nothing can be written"),
            (
                "SET default_transaction_read_only = on",
                "nothing can be written later",
            ),
            (
                "SET default_transaction_isolation = 'serializable'",
                "another isolation",
            ),
            ("SET TIME ZONE 'Asia/Tokyo'", "another time zone"),
            ("SET DateStyle = 'German'", "other dates"),
            ("SET client_encoding = 'LATIN1'", "another encoding"),
            ("SET standard_conforming_strings = off", "other quotes"),
            ("SET bytea_output = 'escape'", "other bytes"),
            ("SET enable_indexscan = off", "other plans"),
            ("SET lock_timeout = 1", "no waiting"),
            ("SET idle_in_transaction_session_timeout = 1", "no pauses"),
            ("SET application_name = 'globex'", "another name"),
            ("LISTEN gossip", "listening"),
            ("NOTIFY gossip, 'GLOBEX'", "telling"),
            (
                "SELECT pg_notify('gossip', title) FROM note",
                "telling what was read",
            ),
            ("UNLISTEN *", "no listening"),
            ("LOAD 'auto_explain'", "a library"),
            (
                "SELECT pg_advisory_lock(1)",
                "a lock that outlives the transaction",
            ),
            (
                "SELECT pg_advisory_lock_shared(8098999093447229804)",
                "the lock that migrations take",
            ),
            (
                "SELECT pg_try_advisory_lock(n) FROM generate_series(1, 1000) n",
                "many locks",
            ),
            ("SELECT setseed(0.5)", "the random numbers"),
            (
                "SELECT set_config('a.b', repeat('x', 100000), false)",
                "a large setting",
            ),
        ],
        controls: &[
            (
                "SELECT title FROM note WHERE current_setting('TimeZone') <> 'Asia/Tokyo'",
                "OWN",
            ),
            ("EXECUTE s0", "refused"),
            ("SELECT count(*) FROM pg_listening_channels()", "\"0\""),
            ("FETCH ALL FROM c", "34000"),
            (
                // Of this database: what migrates another one meanwhile holds locks too.
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                "\"0\"",
            ),
        ],
    }
}
