//! Reading what is another's.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "reads",
        attacks: &[
            ("SELECT * FROM note", "no filter"),
            (
                "SELECT * FROM note WHERE tenant_id = '{globex}'",
                "the victim's tenant",
            ),
            (
                "SELECT * FROM note WHERE id = '{globex_note}'",
                "the victim's id",
            ),
            (
                "SELECT * FROM note WHERE tenant_id <> partywall.tenant()",
                "everybody else",
            ),
            (
                "SELECT * FROM note WHERE true OR tenant_id = '{globex}'",
                "a condition that always holds",
            ),
            ("SELECT * FROM ONLY public.note OFFSET 0", "ONLY"),
            ("TABLE note", "TABLE"),
            ("SELECT note FROM note", "whole rows"),
            ("SELECT to_jsonb(n) FROM note n", "rows as JSON"),
            (
                "SELECT count(*), max(title), min(body) FROM note",
                "aggregates",
            ),
            (
                "SELECT count(*) FROM note HAVING max(title) LIKE 'GLOBEX%'",
                "HAVING",
            ),
            (
                "SELECT title, rank() OVER (ORDER BY id) FROM note",
                "windows",
            ),
            (
                "SELECT n.title, c.body FROM note n FULL JOIN comment c ON true",
                "a full join",
            ),
            (
                "SELECT c.body FROM comment c LEFT JOIN note n ON n.id = c.note_id WHERE n.id IS NULL",
                "children of rows that are not seen",
            ),
            (
                "SELECT * FROM comment WHERE note_id = '{globex_note}'",
                "the victim's comments",
            ),
            ("SELECT * FROM comment", "all comments"),
            ("SELECT * FROM tag", "all tags"),
            ("SELECT * FROM note_tag", "all links"),
            (
                "SELECT * FROM tag WHERE id = '{globex_tag}'",
                "the victim's tag",
            ),
            (
                "SELECT * FROM identity.tenant WHERE slug = 'globex'",
                "the victim's own row",
            ),
            ("SELECT * FROM identity.tenant", "all tenants"),
            (
                "SELECT title FROM note UNION SELECT body FROM comment",
                "UNION",
            ),
            ("SELECT title FROM note EXCEPT ALL SELECT 'x'", "EXCEPT"),
            (
                "SELECT title FROM note INTERSECT ALL SELECT title FROM note WHERE tenant_id = '{globex}'",
                "INTERSECT",
            ),
            (
                "SELECT * FROM note WHERE tenant_id = ANY (ARRAY(SELECT gen_random_uuid()) || '{globex}'::uuid)",
                "a list of tenants",
            ),
            (
                "SELECT * FROM note TABLESAMPLE BERNOULLI (100)",
                "a sample of everything",
            ),
            (
                "SELECT * FROM note TABLESAMPLE SYSTEM (100)",
                "a sample of pages",
            ),
            ("SELECT ctid, xmin, xmax, * FROM note", "system columns"),
            (
                "SELECT * FROM note WHERE ctid = '(0,1)'",
                "rows by their place",
            ),
            (
                "SELECT * FROM note WHERE ctid < '(1,1)'",
                "rows by a range of places",
            ),
            (
                "SELECT * FROM note WHERE 1 / (CASE WHEN title LIKE 'GLOBEX%' THEN 0 ELSE 1 END) = 1",
                "an error that tells of a row",
            ),
            (
                "SELECT * FROM note WHERE title::int = 1",
                "an error that quotes a row",
            ),
            (
                "SELECT title::uuid FROM note",
                "another error that quotes a row",
            ),
            (
                "SELECT * FROM note WHERE xmlparse(document title) IS NULL",
                "an error in XML that quotes a row",
            ),
            ("EXPLAIN SELECT * FROM note", "a plan"),
            (
                "EXPLAIN ANALYZE SELECT * FROM note WHERE tenant_id = '{globex}'",
                "a plan that runs",
            ),
            (
                "EXPLAIN (ANALYZE, VERBOSE, BUFFERS, FORMAT JSON) SELECT title FROM note",
                "a plan with everything",
            ),
            (
                "SELECT query_to_xml('SELECT * FROM note', true, true, '')",
                "a query inside of a function",
            ),
            (
                "SELECT table_to_xml('note', true, true, '')",
                "a table as XML",
            ),
            (
                "SELECT schema_to_xml('public', true, true, '')",
                "a schema as XML",
            ),
            (
                "SELECT database_to_xml(true, true, '')",
                "the database as XML",
            ),
            (
                "SELECT cursor_to_xml('c', 10, true, true, '')",
                "a cursor as XML",
            ),
            (
                "SELECT * FROM ts_stat('SELECT to_tsvector(title) FROM note')",
                "the words of a query",
            ),
            (
                "SELECT ts_rewrite('a'::tsquery, 'SELECT to_tsquery(''a''), to_tsquery(label) FROM tag')",
                "a rewriting query",
            ),
            ("SELECT * FROM note FOR UPDATE", "locks on all rows"),
            (
                "SELECT * FROM note WHERE id = '{globex_note}' FOR KEY SHARE",
                "a lock on the victim's row",
            ),
            (
                "SELECT lo.* FROM note n, LATERAL (SELECT * FROM note m WHERE m.tenant_id <> n.tenant_id) lo",
                "LATERAL",
            ),
            (
                "SELECT * FROM information_schema.tables t, note n",
                "beside the catalogue",
            ),
            (
                "SELECT (SELECT title FROM note WHERE tenant_id = '{globex}' LIMIT 1)",
                "a scalar sub-select",
            ),
            (
                "SELECT EXISTS (SELECT FROM note WHERE id = '{globex_note}') AND 'GLOBEX-SECRET-7f3a' = ''",
                "whether a row exists",
            ),
        ],
        controls: &[
            ("SELECT * FROM note WHERE id = '{acme_note}'", "OWN"),
            ("SELECT body FROM comment", "OWN"),
            (
                "SELECT query_to_xml('SELECT * FROM note', true, true, '')",
                "OWN",
            ),
            ("SELECT * FROM note TABLESAMPLE BERNOULLI (100)", "OWN"),
            ("SELECT title::int FROM note", "OWN"),
            ("SELECT slug FROM identity.tenant", "acme"),
        ],
    }
}
