//! Who signs in and what they may do: tables of another login, of which the application's sees its
//! tenant's own row and accounts, and adds to its audit log.

use super::Kind;

pub fn kind() -> Kind {
    Kind {
        name: "identity",
        attacks: ATTACKS,
        controls: &[
            (
                "SELECT name, email FROM identity.account",
                "bob@example.com",
            ),
            ("SELECT slug FROM identity.tenant", "acme"),
            ("SELECT partywall.identity_hold('{bob_account}')", "true"),
            (
                "INSERT INTO identity.audit (id, at, action, actor_name, detail) VALUES (gen_random_uuid(), now(), 'note.read', 'Bob', '{}') RETURNING action",
                "note.read",
            ),
            (
                "SELECT n.title FROM note n JOIN identity.account a ON a.name = n.author",
                "OWN",
            ),
        ],
    }
}

const ATTACKS: &[(&str, &str)] = &[
    ("SELECT * FROM identity.credential", "all password hashes"),
    (
        "SELECT password_hash FROM identity.credential WHERE email_key = 'eve@example.com'",
        "the victim's password hash",
    ),
    (
        "SELECT count(*) FROM identity.credential",
        "how many people there are",
    ),
    (
        "UPDATE identity.credential SET password_hash = 'x'",
        "other passwords",
    ),
    (
        "UPDATE identity.credential SET reset_hash = 'x', reset_expires_at = now() + interval '1 day'",
        "a link for new passwords",
    ),
    (
        "INSERT INTO identity.credential (email_key, user_id, password_hash) VALUES ('mallory@example.com', '{bob}', 'x')",
        "a credential",
    ),
    ("DELETE FROM identity.credential", "no credentials"),
    ("SELECT * FROM identity.\"user\"", "all people"),
    (
        "SELECT email FROM identity.\"user\" WHERE id = '{eve}'",
        "the victim",
    ),
    (
        "SELECT * FROM identity.\"user\" WHERE id = '{bob}'",
        "oneself",
    ),
    (
        "UPDATE identity.\"user\" SET email = 'mallory@example.com'",
        "other addresses",
    ),
    (
        "UPDATE identity.\"user\" SET deactivated_at = now()",
        "nobody signs in",
    ),
    ("SELECT * FROM identity.session", "all sessions"),
    (
        "SELECT token_hash FROM identity.session WHERE user_id = '{bob}'",
        "one's own sessions",
    ),
    (
        "INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, expires_at) VALUES (gen_random_uuid(), '{eve}', repeat('0', 64), now(), now(), now() + interval '1 day')",
        "a session as the victim",
    ),
    ("DELETE FROM identity.session", "everybody signed out"),
    (
        "UPDATE identity.session SET user_id = '{eve}'",
        "one's own session as the victim",
    ),
    (
        "UPDATE identity.session SET current_tenant = '{globex}'",
        "one's own session in the victim's tenant",
    ),
    (
        "UPDATE identity.session SET expires_at = 'infinity', seen_at = now()",
        "sessions that never end",
    ),
    (
        "UPDATE identity.session SET impersonator = '{bob}', confined_to = NULL",
        "an impersonation",
    ),
    ("SELECT * FROM identity.role", "all roles"),
    (
        "UPDATE identity.role SET permissions = '{sql.run,tenant.delete}'",
        "roles that allow more",
    ),
    (
        "UPDATE identity.role SET builtin = 'owner'",
        "every role the owner's",
    ),
    (
        "INSERT INTO identity.role (id, tenant_id, name, builtin, permissions) VALUES (gen_random_uuid(), '{acme}', 'x', 'owner', '{}')",
        "another owner's role",
    ),
    ("SELECT * FROM identity.account_role", "who has which role"),
    (
        "INSERT INTO identity.account_role (account_id, role_id, tenant_id) VALUES ('{bob_account}', '{acme_owner}', '{acme}')",
        "to be an owner",
    ),
    (
        "UPDATE identity.account_role SET role_id = '{acme_owner}'",
        "everybody an owner",
    ),
    ("DELETE FROM identity.account_role", "nobody has a role"),
    (
        "INSERT INTO identity.role_inclusion SELECT * FROM identity.role_inclusion",
        "roles that include others",
    ),
    (
        "INSERT INTO identity.account_grant (account_id, permission, tenant_id) VALUES ('{bob_account}', 'tenant.delete', '{acme}')",
        "a permission granted to oneself",
    ),
    (
        "INSERT INTO identity.group_member SELECT * FROM identity.group_member",
        "membership in a group",
    ),
    (
        "INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) VALUES (gen_random_uuid(), '{globex}', '{bob}', 'x', 'x', now())",
        "an account in the victim's tenant",
    ),
    (
        "INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) VALUES (gen_random_uuid(), '{acme}', '{eve}', 'x', 'x', now())",
        "an account for the victim",
    ),
    (
        "SELECT * FROM identity.account WHERE tenant_id = '{globex}'",
        "the victim's colleagues",
    ),
    (
        "SELECT * FROM identity.account WHERE id = '{eve_account}' OR user_id = '{eve}'",
        "the victim's account",
    ),
    (
        "UPDATE identity.account SET deactivated_at = NULL",
        "everybody back in",
    ),
    (
        "UPDATE identity.account SET user_id = '{bob}' WHERE id = '{ann_account}'",
        "the owner's account taken",
    ),
    (
        "UPDATE identity.account SET tenant_id = '{globex}'",
        "accounts moved",
    ),
    ("DELETE FROM identity.account", "no accounts"),
    (
        "SELECT * FROM identity.account FOR UPDATE",
        "accounts locked as who removes them does",
    ),
    (
        "SELECT * FROM identity.account FOR KEY SHARE",
        "accounts locked lightly",
    ),
    (
        "LOCK TABLE identity.account IN SHARE MODE",
        "all accounts locked",
    ),
    (
        "UPDATE identity.tenant SET suspended_at = NULL, delete_after = NULL",
        "a tenant back from its suspension",
    ),
    ("UPDATE identity.tenant SET seats = 1000000", "more seats"),
    (
        "INSERT INTO identity.staff (user_id) VALUES ('{bob}')",
        "to be of the staff",
    ),
    ("SELECT * FROM identity.staff", "who is of the staff"),
    (
        "INSERT INTO identity.staff_entry (id, tenant_id, user_id, session_id, reason, created_at, expires_at) VALUES (gen_random_uuid(), '{globex}', '{bob}', '{bob}', 'x', now(), 'infinity')",
        "an entry of the staff's",
    ),
    ("SELECT * FROM identity.api_key", "the keys of programs"),
    (
        "INSERT INTO identity.api_key SELECT * FROM identity.api_key",
        "a key",
    ),
    ("SELECT * FROM identity.domain", "which hosts are whose"),
    (
        "UPDATE identity.domain SET verified_at = now()",
        "a host without its proof",
    ),
    ("SELECT * FROM identity.invitation", "who is invited"),
    (
        "UPDATE identity.invitation SET token_hash = 'x', expires_at = 'infinity'",
        "invitations for oneself",
    ),
    ("SELECT body FROM identity.outbox", "links in mail"),
    (
        "INSERT INTO identity.outbox (id, recipient, address, subject, body, created_at, attempts) VALUES (gen_random_uuid(), 'eve@example.com', 'eve@example.com', 'x', 'x', now(), 0)",
        "mail in our name",
    ),
    ("SELECT * FROM identity.sign_up", "who signs up"),
    ("SELECT * FROM identity.audit", "the audit logs"),
    (
        "SELECT * FROM identity.audit WHERE tenant_id = '{globex}'",
        "the victim's audit log",
    ),
    (
        "INSERT INTO identity.audit (id, tenant_id, at, action, actor_name, detail) VALUES (gen_random_uuid(), '{globex}', now(), 'x', 'Eve', '{}')",
        "an entry in the victim's audit log",
    ),
    (
        "UPDATE identity.audit SET actor_name = 'Eve'",
        "an entry that blames another",
    ),
    ("DELETE FROM identity.audit", "no audit log"),
    ("TRUNCATE identity.audit", "no audit log, by TRUNCATE"),
    (
        "SELECT * FROM partywall.identity_session('{token_hash}', 1000000, NULL, 'globex', NULL)",
        "who holds a session, by its hash",
    ),
    (
        "SELECT * FROM partywall.identity_session(NULL, 1000000, '{globex}', NULL, NULL)",
        "sessions without a hash",
    ),
    (
        "SELECT * FROM partywall.identity_accounts('{token_hash}', 1000000, NULL)",
        "whose accounts there are, by a session's hash",
    ),
    (
        "SELECT * FROM partywall.identity_key('x', NULL, 'globex', NULL)",
        "what a key opens",
    ),
    (
        "SELECT * FROM partywall.identity_rights('{globex}', '{eve_account}')",
        "what the victim may do",
    ),
    (
        "SELECT * FROM partywall.identity_first_account('{eve}')",
        "where the victim's sessions begin",
    ),
    (
        "SELECT * FROM partywall.identity_invitation('x')",
        "what a link of an invitation is for",
    ),
    (
        "SELECT * FROM partywall.identity_reset('x')",
        "whose password a link sets",
    ),
    (
        "SELECT * FROM partywall.identity_sign_up('x')",
        "whose address a link shows",
    ),
    (
        "SELECT partywall.identity_hold('{eve_account}') FROM note",
        "the victim's account held",
    ),
    (
        "SELECT partywall.identity_hold(id) FROM identity.account UNION ALL SELECT partywall.identity_hold('{eve_account}')",
        "all accounts held",
    ),
    (
        "SELECT set_config('partywall.context', '{context}', true), partywall.identity_hold('{eve_account}')",
        "the victim's account held in the victim's context",
    ),
    (
        "CREATE OR REPLACE FUNCTION partywall.identity_hold(wanted uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "a hold that holds nothing",
    ),
    (
        "GRANT EXECUTE ON FUNCTION partywall.identity_rights(uuid, uuid) TO {app}",
        "a function for oneself",
    ),
    ("SET ROLE {identity_login}", "the identity login"),
    (
        "SET SESSION AUTHORIZATION {identity_login}",
        "the identity login's session",
    ),
    (
        "GRANT {identity_login} TO CURRENT_USER",
        "membership in the identity login",
    ),
    (
        "DROP POLICY partywall_hold ON identity.account",
        "a policy of the accounts dropped",
    ),
    (
        "SELECT query_to_xml('SELECT * FROM identity.credential', true, true, '')",
        "the password hashes through a function",
    ),
    (
        "SELECT schema_to_xml('identity', true, true, '')",
        "the schema as XML",
    ),
    (
        "SELECT most_common_vals::text FROM pg_stats WHERE schemaname = 'identity'",
        "the statistics of the columns",
    ),
    (
        "INSERT INTO note (id, title, body, author, created_at, updated_at) SELECT gen_random_uuid(), password_hash, '', '', now(), now() FROM identity.credential",
        "password hashes as notes",
    ),
    (
        "SELECT set_config('partywall.context', '{\"user\":\"{eve}\"}', true) UNION ALL SELECT name FROM identity.\"user\"",
        "the victim by their context",
    ),
    (
        "SELECT set_config('partywall.context', '{\"email\":\"eve@example.com\"}', true) UNION ALL SELECT password_hash FROM identity.credential",
        "the victim's password hash by its context",
    ),
];
