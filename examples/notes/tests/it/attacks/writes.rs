//! Changing what is another's, or giving it away.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "writes",
        attacks: &[
            ("UPDATE note SET title = 'owned'", "everything changed"),
            (
                "UPDATE note SET title = 'owned' WHERE tenant_id = '{globex}'",
                "the victim's rows changed",
            ),
            (
                "UPDATE note SET title = 'owned' WHERE id = '{globex_note}' RETURNING *",
                "the victim's row changed and returned",
            ),
            (
                "UPDATE note SET tenant_id = '{globex}'",
                "rows moved to the victim",
            ),
            (
                "UPDATE note SET tenant_id = '{acme}' WHERE tenant_id = '{globex}'",
                "the victim's rows taken",
            ),
            (
                "UPDATE note SET id = '{globex_note}' WHERE id = '{acme_note}'",
                "the victim's id taken",
            ),
            (
                "UPDATE note n SET body = o.body FROM note o WHERE o.tenant_id = '{globex}'",
                "the victim's text copied",
            ),
            (
                "UPDATE comment SET note_id = '{globex_note}'",
                "comments moved to the victim's note",
            ),
            (
                "UPDATE comment SET tenant_id = '{globex}'",
                "comments moved to the victim",
            ),
            (
                "UPDATE note_tag SET tag_id = '{globex_tag}'",
                "notes with the victim's tag",
            ),
            (
                "UPDATE identity.tenant SET name = 'owned'",
                "tenants renamed",
            ),
            (
                "UPDATE identity.tenant SET id = '{globex}'",
                "to be the victim",
            ),
            ("DELETE FROM note", "everything deleted"),
            (
                "DELETE FROM note WHERE tenant_id = '{globex}'",
                "the victim's rows deleted",
            ),
            (
                "DELETE FROM note USING identity.tenant t WHERE slug = 'globex'",
                "deleted through a join",
            ),
            (
                "DELETE FROM comment WHERE note_id = '{globex_note}' RETURNING body",
                "comments deleted and returned",
            ),
            ("DELETE FROM tag", "tags deleted"),
            ("DELETE FROM identity.tenant", "tenants deleted"),
            ("TRUNCATE note CASCADE", "TRUNCATE"),
            (
                "TRUNCATE identity.tenant, note, comment, tag, note_tag",
                "TRUNCATE of all",
            ),
            (
                "INSERT INTO note (id, tenant_id, title, body, author, created_at, updated_at) VALUES (gen_random_uuid(), '{globex}', 'x', 'x', 'x', now(), now())",
                "a row for the victim",
            ),
            (
                "INSERT INTO note SELECT gen_random_uuid(), '{globex}', title, body, author, created_at, updated_at FROM note",
                "copies for the victim",
            ),
            (
                "INSERT INTO note (id, tenant_id, title, body, author, created_at, updated_at) VALUES ('{globex_note}', '{globex}', 'x', 'x', 'x', now(), now()) ON CONFLICT (tenant_id, id) DO UPDATE SET title = 'owned' RETURNING *",
                "an upsert over the victim's row",
            ),
            (
                "INSERT INTO note (id, tenant_id, title, body, author, created_at, updated_at) VALUES ('{globex_note}', '{globex}', 'x', 'x', 'x', now(), now()) ON CONFLICT DO NOTHING",
                "whether the victim's row is there",
            ),
            (
                "INSERT INTO note (id, title, body, author, created_at, updated_at) VALUES ('{globex_note}', 'x', 'x', 'x', now(), now())",
                "the same id in one's own tenant",
            ),
            (
                "INSERT INTO comment (id, note_id, author, body, created_at) VALUES (gen_random_uuid(), '{globex_note}', 'x', 'x', now())",
                "a comment on the victim's note",
            ),
            (
                "INSERT INTO comment (id, tenant_id, note_id, author, body, created_at) VALUES (gen_random_uuid(), '{globex}', '{globex_note}', 'x', 'x', now())",
                "the same, with the tenant told",
            ),
            (
                "INSERT INTO note_tag (note_id, tag_id) VALUES ('{acme_note}', '{globex_tag}')",
                "the victim's tag on one's own note",
            ),
            (
                "INSERT INTO note_tag (note_id, tag_id) VALUES ('{globex_note}', '{globex_tag}')",
                "a link between the victim's rows",
            ),
            (
                "INSERT INTO tag (id, tenant_id, label) VALUES (gen_random_uuid(), '{globex}', 'x')",
                "a tag for the victim",
            ),
            (
                "INSERT INTO identity.tenant (id, slug, name, created_at) VALUES (gen_random_uuid(), 'new', 'New', now())",
                "a tenant of one's own",
            ),
            (
                "MERGE INTO note n USING (SELECT '{globex_note}'::uuid AS id) s ON n.id = s.id WHEN MATCHED THEN DELETE",
                "MERGE that deletes",
            ),
            (
                "MERGE INTO note n USING identity.tenant t ON n.tenant_id <> t.id WHEN MATCHED THEN UPDATE SET title = 'owned'",
                "MERGE that changes",
            ),
            (
                "WITH gone AS (DELETE FROM note RETURNING *) SELECT title FROM gone",
                "deleted and read in one",
            ),
            (
                "WITH moved AS (UPDATE note SET title = 'x' RETURNING *) INSERT INTO tag (id, tenant_id, label) SELECT gen_random_uuid(), '{globex}', title FROM moved",
                "changed and given away",
            ),
            (
                "INSERT INTO tag (id, label) SELECT gen_random_uuid(), title FROM note RETURNING *",
                "what is read written elsewhere",
            ),
            ("SELECT * INTO stolen FROM note", "SELECT INTO"),
            (
                "CREATE TABLE stolen AS SELECT * FROM note",
                "CREATE TABLE AS",
            ),
            ("COPY note TO STDOUT", "COPY out"),
            ("COPY note FROM STDIN", "COPY in"),
            (
                "COPY (SELECT * FROM note) TO '/tmp/notes-stolen'",
                "COPY to a file",
            ),
            ("COPY note FROM PROGRAM 'id'", "COPY from a program"),
        ],
        controls: &[
            (
                "UPDATE note SET title = title || '!' RETURNING title",
                "OWN",
            ),
            ("DELETE FROM comment RETURNING body", "OWN"),
            (
                "INSERT INTO comment (id, note_id, author, body, created_at) VALUES (gen_random_uuid(), '{acme_note}', 'x', 'mine', now()) RETURNING body",
                "mine",
            ),
            (
                "WITH gone AS (DELETE FROM note RETURNING *) SELECT title FROM gone",
                "OWN",
            ),
        ],
    }
}
