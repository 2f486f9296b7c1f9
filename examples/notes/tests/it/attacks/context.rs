//! Changing whose rows they are: the heart of it.

use super::Kind;

/// Without a seal each of these reads the victim's rows.
pub const CLASSIC: &[(&str, &str)] = &[
    (
        "SELECT set_config('partywall.context', '{context}', true) UNION ALL SELECT title FROM note",
        "set, then read, in one statement",
    ),
    (
        "SELECT set_config('partywall.context', '{context}', false) UNION ALL SELECT title FROM note",
        "set for the session, then read",
    ),
    (
        "SELECT pg_catalog.set_config('partywall.context', '{context}', true) UNION ALL SELECT body FROM public.note",
        "qualified names",
    ),
    (
        "SELECT set_config('PARTYWALL.Context', '{context}', true) UNION ALL SELECT title FROM note",
        "another spelling of the setting",
    ),
    (
        "SELECT partywall.enter('{context}', 0)::text UNION ALL SELECT title FROM note",
        "the entry function itself",
    ),
    (
        "SELECT partywall.enter('{context}', 100000)::text UNION ALL SELECT title FROM note",
        "the entry function with a longer time",
    ),
    (
        "SELECT partywall.narrow('{context}')::text UNION ALL SELECT title FROM note",
        "the function for narrower scopes",
    ),
    (
        "SELECT set_config('partywall.context', '{context}', true) UNION ALL SELECT body FROM comment",
        "a table scoped by a path",
    ),
    (
        "SELECT set_config('partywall.context', '{context}', true) UNION ALL SELECT label FROM tag",
        "another table",
    ),
    (
        "SELECT set_config('partywall.context', replace(current_setting('partywall.context'), '{acme}', '{globex}'), true) UNION ALL SELECT title FROM note",
        "one's own context with the tenant replaced",
    ),
    (
        "(SELECT set_config('partywall.context', '{context}', true)) UNION ALL (SELECT title FROM note ORDER BY id LIMIT 3)",
        "brackets",
    ),
    (
        "SELECT set_config('partywall.context', '{context}', true) UNION ALL SELECT n.title FROM note n JOIN comment c ON c.note_id = n.id",
        "a join behind it",
    ),
    (
        "SELECT set_config('partywall.context', '{context}', true) UNION ALL SELECT string_agg(title, ',') FROM note",
        "an aggregate behind it",
    ),
    (
        "SELECT set_config('partywall.context', '{\"tenant\":\"{globex}\",\"user\":\"{eve}\"}', true) UNION ALL SELECT title FROM note",
        "with further dimensions",
    ),
    (
        "SELECT query_to_xml('SELECT set_config(''partywall.context'', ''{context}'', true)', true, true, '')::text UNION ALL SELECT query_to_xml('SELECT title FROM note', true, true, '')::text",
        "statements inside of statements",
    ),
];

/// Sealed or not, not all of these work; none may.
pub const OTHER: &[(&str, &str)] = &[
    ("SET partywall.context = '{context}'", "SET"),
    ("SET LOCAL partywall.context = '{context}'", "SET LOCAL"),
    ("SET SESSION partywall.context = '{context}'", "SET SESSION"),
    ("RESET partywall.context", "no context at all"),
    ("RESET ALL", "no settings at all"),
    ("DISCARD ALL", "DISCARD"),
    ("DISCARD PLANS", "DISCARD PLANS"),
    (
        "SELECT title FROM note WHERE set_config('partywall.context', '{context}', true) IS NOT NULL",
        "set while the rows are read",
    ),
    (
        "SELECT title, set_config('partywall.context', '{context}', true) FROM note",
        "set in the select list",
    ),
    (
        "SELECT title FROM note ORDER BY set_config('partywall.context', '{context}', true)",
        "set while the rows are sorted",
    ),
    (
        "SELECT title FROM note UNION ALL SELECT set_config('partywall.context', '{context}', true) UNION ALL SELECT title FROM note",
        "read, set, and read again",
    ),
    (
        "WITH a AS MATERIALIZED (SELECT set_config('partywall.context', '{context}', true) AS s) SELECT title FROM a, note WHERE s <> ''",
        "a materialised step first",
    ),
    (
        "SELECT title FROM (SELECT set_config('partywall.context', '{context}', true) AS s OFFSET 0) a CROSS JOIN LATERAL (SELECT title FROM note WHERE s <> '' OFFSET 0) b",
        "a lateral join behind it",
    ),
    (
        "SELECT (SELECT set_config('partywall.context', '{context}', true)), (SELECT string_agg(title, ',') FROM note)",
        "one sub-select sets, the other reads",
    ),
    (
        "SELECT CASE WHEN set_config('partywall.context', '{context}', true) <> '' THEN (SELECT string_agg(title, ',') FROM note) END",
        "set in a condition",
    ),
    (
        "SELECT coalesce(nullif(set_config('partywall.context', '{context}', true), '{context}'), (SELECT max(title) FROM note))",
        "set inside of coalesce",
    ),
    (
        "WITH RECURSIVE r(n, t) AS (SELECT 1, set_config('partywall.context', '{context}', true) UNION ALL SELECT n + 1, (SELECT max(title) FROM note) FROM r WHERE n < 3) SELECT t FROM r",
        "set in the first round of a recursion",
    ),
    (
        "VALUES (set_config('partywall.context', '{context}', true)), ((SELECT max(title) FROM note))",
        "VALUES",
    ),
    (
        "SELECT set_config('partywall.context', '', true) UNION ALL SELECT title FROM note",
        "an empty context",
    ),
    (
        "SELECT set_config('partywall.context', NULL, true) UNION ALL SELECT title FROM note",
        "a context of NULL",
    ),
    (
        "SELECT set_config('partywall.context', '{}', true) UNION ALL SELECT title FROM note",
        "a context without dimensions",
    ),
    (
        "SELECT set_config('partywall.context', '{\"tenant\":null}', true) UNION ALL SELECT title FROM note",
        "a tenant of null",
    ),
    (
        "SELECT set_config('partywall.context', '{\"tenant\":\"*\"}', true) UNION ALL SELECT title FROM note",
        "a tenant that means all",
    ),
    (
        "SELECT set_config('partywall.context', '{\"tenant[]\":[\"{globex}\",\"{acme}\"]}', true) UNION ALL SELECT title FROM note",
        "a list of tenants",
    ),
    (
        "SELECT set_config('partywall.context', 'garbage', true) UNION ALL SELECT title FROM note",
        "what is no JSON",
    ),
    (
        "SELECT set_config('partywall.context', repeat('0', 64) || '.' || split_part(current_setting('partywall.context'), '.', 2) || '.9999999999.{context}', true) UNION ALL SELECT title FROM note",
        "a seal of zeros with the right key's name",
    ),
    (
        "SELECT set_config('partywall.context', encode(sha256('{context}'), 'hex') || '.k.9999999999.{context}', true) UNION ALL SELECT title FROM note",
        "a plain hash for a seal",
    ),
    (
        "SELECT set_config('partywall.context', left(current_setting('partywall.context'), 65) || split_part(current_setting('partywall.context'), '.', 2) || '.' || split_part(current_setting('partywall.context'), '.', 3) || '.{context}', true) UNION ALL SELECT title FROM note",
        "one's own seal over another's context",
    ),
    (
        "SELECT set_config('partywall.context', current_setting('partywall.context') || '{context}', true) UNION ALL SELECT title FROM note",
        "more behind one's own context",
    ),
    (
        "SELECT set_config('partywall.context', '.' || current_setting('partywall.context'), true) UNION ALL SELECT title FROM note",
        "a shifted context",
    ),
    (
        "SELECT set_config('partywall.context', replace(current_setting('partywall.context'), '\"tenant\"', '\"tenant\":\"{globex}\",\"x\"'), true) UNION ALL SELECT title FROM note",
        "the tenant twice",
    ),
    (
        "SELECT set_config('partywall.seal', 'off', true) UNION ALL SELECT title FROM note",
        "a setting that does not exist",
    ),
    (
        "SELECT partywall.tenant('{globex}') ",
        "the reader with an argument",
    ),
    (
        "UPDATE pg_settings SET setting = '{context}' WHERE name = 'partywall.context'",
        "the settings as a table",
    ),
    (
        "SELECT set_config('row_security', 'off', true) UNION ALL SELECT title FROM note",
        "row security off",
    ),
    ("SET row_security = off", "row security off for the session"),
    (
        "SELECT set_config('session_replication_role', 'replica', true) UNION ALL SELECT title FROM note",
        "triggers and keys off",
    ),
    (
        "SELECT set_config('search_path', 'pg_temp, public', true) UNION ALL SELECT title FROM note",
        "another search path",
    ),
    (
        "SELECT set_config('role', 'postgres', true) UNION ALL SELECT title FROM note",
        "a role by its setting",
    ),
    (
        "SELECT set_config('session_authorization', 'postgres', true) UNION ALL SELECT title FROM note",
        "a login by its setting",
    ),
    (
        "ALTER ROLE CURRENT_USER SET partywall.context = '{context}'",
        "a context for every later session",
    ),
    (
        "ALTER ROLE {app} RESET ALL",
        "no settings in later sessions",
    ),
    (
        "ALTER DATABASE postgres SET partywall.context = '{context}'",
        "a context for a whole database",
    ),
    (
        "ALTER SYSTEM SET partywall.context = '{context}'",
        "a context for the whole server",
    ),
    (
        "CREATE FUNCTION public.tenant() RETURNS uuid LANGUAGE sql AS $$ SELECT '{globex}'::uuid $$",
        "a function of one's own",
    ),
    (
        "CREATE OR REPLACE FUNCTION partywall.tenant() RETURNS uuid LANGUAGE sql AS $$ SELECT '{globex}'::uuid $$",
        "the reader replaced",
    ),
    (
        "DROP FUNCTION partywall.tenant() CASCADE",
        "the reader dropped",
    ),
    (
        "ALTER FUNCTION partywall.tenant() SECURITY INVOKER",
        "the reader changed",
    ),
    (
        "ALTER FUNCTION partywall.tenant() SET partywall.context = '{context}'",
        "the reader with a context of its own",
    ),
];

/// The same kind of statement with one's own context, where set_config may be called.
pub const WITH_SET_CONFIG: &[(&str, &str)] = &[
    (
        "SELECT set_config('application_name', 'x', true) UNION ALL SELECT title FROM note",
        "OWN",
    ),
    (
        "SELECT set_config('partywall.context', current_setting('partywall.context'), true) UNION ALL SELECT title FROM note",
        "OWN",
    ),
    (
        "WITH a AS MATERIALIZED (SELECT set_config('application_name', 'y', true) AS s) SELECT title FROM a, note WHERE s <> ''",
        "OWN",
    ),
];

pub fn classic() -> Kind {
    Kind {
        name: "context, the classics",
        attacks: CLASSIC,
        controls: &[(
            "SELECT partywall.narrow(current_setting('partywall.context'))::text UNION ALL SELECT title FROM note",
            "OWN",
        )],
    }
}

pub fn other() -> Kind {
    Kind {
        name: "context, the rest",
        attacks: OTHER,
        controls: &[
            (
                "WITH a AS MATERIALIZED (SELECT current_setting('partywall.context') AS s) SELECT title FROM a, note WHERE s <> ''",
                "OWN",
            ),
            ("SELECT partywall.tenant()", "\"affected\":1"),
        ],
    }
}

/// All of them, for a database in which set_config may be called: the seal is on its own.
pub fn unhardened() -> Vec<Kind> {
    [classic(), other()]
        .map(|kind| Kind {
            controls: WITH_SET_CONFIG,
            ..kind
        })
        .into()
}
