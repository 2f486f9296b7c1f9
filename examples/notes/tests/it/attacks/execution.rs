//! Code of one's own.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "execution",
        attacks: &[
            ("DO $$ BEGIN PERFORM 1; END $$", "a block"),
            (
                "DO $$ BEGIN PERFORM set_config('partywall.context', '{context}', false); END $$",
                "a block that sets the context",
            ),
            (
                "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$",
                "a loop that cannot be cancelled",
            ),
            ("DO $$ BEGIN COMMIT; END $$", "a commit inside of a block"),
            ("DO LANGUAGE plpgsql 'BEGIN END'", "the language told"),
            (
                "DO LANGUAGE plpython3u 'import os'",
                "a language that may do anything",
            ),
            (
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "a function",
            ),
            (
                "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
                "a function with a block",
            ),
            (
                "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'system'",
                "a function in C",
            ),
            (
                "CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'pg_backend_pid'",
                "an internal function",
            ),
            (
                "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'",
                "a procedure",
            ),
            ("CALL p()", "a procedure called"),
            (
                "CREATE AGGREGATE a (int) (SFUNC = int4pl, STYPE = int)",
                "an aggregate",
            ),
            (
                "CREATE OPERATOR = (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = uuid_ne)",
                "another meaning of equality",
            ),
            (
                "CREATE OPERATOR public.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = uuid_ne)",
                "the same, in a schema",
            ),
            (
                "CREATE CAST (uuid AS text) WITH INOUT AS IMPLICIT",
                "a cast",
            ),
            ("CREATE TYPE t AS (a int)", "a type"),
            (
                "CREATE DOMAIN d AS int CHECK (set_config('partywall.context', '{context}', true) <> '')",
                "a domain that sets the context",
            ),
            ("CREATE EXTENSION dblink", "an extension that connects"),
            (
                "CREATE EXTENSION plpgsql SCHEMA public",
                "an extension that is there",
            ),
            (
                "CREATE EXTENSION adminpack",
                "an extension that reads files",
            ),
            ("CREATE SCHEMA mine", "a schema"),
            (
                "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()",
                "an event trigger",
            ),
            (
                "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
                "a foreign server",
            ),
            ("CREATE PUBLICATION p FOR ALL TABLES", "a publication"),
            (
                "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
                "a subscription",
            ),
            (
                "SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(a int)",
                "another connection",
            ),
            ("SELECT fmgr_sql_validator(0)", "a validator"),
            ("SELECT plpgsql_call_handler()", "a call handler"),
            (
                "SELECT plpgsql_inline_handler('x')",
                "the handler of blocks",
            ),
            ("CREATE LANGUAGE plpgsql", "a language"),
        ],
        controls: &[
            ("SELECT title, upper(title), length(body) FROM note", "OWN"),
            ("SELECT version()", "PostgreSQL"),
        ],
    }
}
