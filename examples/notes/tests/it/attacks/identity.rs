//! Who signs in: tables of other dimensions, which the tenant's scope does not reach at all.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "identity",
        attacks: &[
            ("SELECT * FROM credential", "all password hashes"),
            (
                "SELECT * FROM credential WHERE email = 'eve@example.com'",
                "the victim's password hash",
            ),
            (
                "UPDATE credential SET password_hash = 'x'",
                "other passwords",
            ),
            (
                "INSERT INTO credential VALUES ('mallory@example.com', '{bob}', 'x')",
                "a credential",
            ),
            ("SELECT * FROM person", "all people"),
            ("SELECT * FROM person WHERE id = '{eve}'", "the victim"),
            ("SELECT * FROM membership", "all memberships"),
            (
                "INSERT INTO membership VALUES ('{bob}', '{globex}')",
                "a membership in the victim's tenant",
            ),
            ("DELETE FROM membership", "no memberships"),
            (
                "UPDATE membership SET tenant_id = '{globex}'",
                "memberships moved",
            ),
            ("SELECT * FROM session", "all sessions"),
            (
                "INSERT INTO session VALUES ('x', '{eve}', now() + interval '1 day')",
                "a session as the victim",
            ),
            ("DELETE FROM session", "everybody signed out"),
            (
                "UPDATE session SET person_id = '{eve}'",
                "one's own session as the victim",
            ),
            (
                "SELECT n.title, p.email FROM note n JOIN person p ON p.name = n.author",
                "people through notes",
            ),
            (
                "SELECT set_config('partywall.context', '{\"person\":\"{eve}\"}', true) UNION ALL SELECT name FROM person",
                "the victim's account",
            ),
            (
                "SELECT set_config('partywall.context', '{\"email\":\"eve@example.com\"}', true) UNION ALL SELECT password_hash FROM credential",
                "the victim's password hash by its context",
            ),
        ],
        controls: &[("SELECT author, title FROM note", "OWN")],
    }
}
