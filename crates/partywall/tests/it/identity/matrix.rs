//! Who may do what: what the roles are said to hold, and what each operation answers each of them.
//!
//! `matrix.md` is written from both. Run with `UPDATE_MATRIX=1` to write it anew.

use std::{error, fmt::Write as _, fs, future::Future, path::Path, pin::Pin};

use async_trait::async_trait;
use partywall::identity::{
    BuiltIn, Error, GroupChange, MemberChange, RequestAccount, RoleChange, TenantChange, TxtLookup,
};
use uuid::Uuid;

use super::world::{World, id, permissions};

type Answer = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
type Operation = fn(RequestAccount, Things) -> Answer;

/// What operations are done to: a member, a role, a group, a grant, a host.
#[derive(Clone, Copy)]
struct Things {
    member: Uuid,
    role: Uuid,
    group: Uuid,
    domain: Uuid,
}

macro_rules! operations {
    ($($name:literal: |$account:ident, $things:ident| $call:expr),+ $(,)?) => {
        [$(($name, (|$account, $things| Box::pin(async move { $call.await.map(drop) })) as Operation)),+]
    };
}

const OPERATIONS: [(&str, Operation); 30] = operations![
    "members: list": |account, _things| account.member_list(None, 10),
    "members: one": |account, things| account.member(things.member),
    "members: who may": |account, _things| account.members_with("note.read"),
    "members: change roles": |account, things| account.member_change(
        things.member, MemberChange { roles: Some(vec![things.role]), active: None }),
    "members: deactivate": |account, things| account.member_change(
        things.member, MemberChange { roles: None, active: Some(false) }),
    "members: remove": |account, things| account.member_remove(things.member),
    "members: leave": |account, _things| account.leave(),
    "grants: give": |account, things| account.grant_give(things.member, "note.read"),
    "grants: take": |account, things| account.grant_take(things.member, "note.write"),
    "roles: list": |account, _things| account.role_list(),
    "roles: create": |account, _things| account.role_create(RoleChange {
        name: Some("new".to_owned()), ..RoleChange::default() }),
    "roles: change": |account, things| account.role_change(things.role, RoleChange {
        permissions: Some(vec!["note.read".to_owned()]), ..RoleChange::default() }),
    "roles: delete": |account, things| account.role_delete(things.role),
    "groups: list": |account, _things| account.group_list(),
    "groups: create": |account, _things| account.group_create(GroupChange {
        name: Some("new".to_owned()), ..GroupChange::default() }),
    "groups: change": |account, things| account.group_change(things.group, GroupChange {
        members: Some(vec![things.member]), ..GroupChange::default() }),
    "groups: delete": |account, things| account.group_delete(things.group),
    "domains: list": |account, _things| account.domain_list(),
    "domains: one": |account, things| account.domain_find(things.domain),
    "domains: add": |account, _things| account.domain_add("new.acme.example"),
    "domains: verify": |account, things| account.domain_verify(things.domain, &Published),
    "domains: remove": |account, things| account.domain_remove(things.domain),
    "audit: read": |account, _things| account.audit_list(None, 10),
    "tenant: rename": |account, _things| account.tenant_change(TenantChange {
        name: Some("New".to_owned()), ..TenantChange::default() }),
    "tenant: slug": |account, _things| account.tenant_change(TenantChange {
        slug: Some("new-slug".to_owned()), ..TenantChange::default() }),
    "tenant: seats": |account, _things| account.tenant_change(TenantChange {
        seats: Some(Some(9)), ..TenantChange::default() }),
    "tenant: export": |account, _things| account.tenant_export(),
    "tenant: transfer": |account, things| account.transfer(things.member),
    "tenant: delete": |account, _things| account.tenant_delete(),
    "tenant: write a note": |account, _things| write_note(account),
];

/// A DNS that says what `things` made the claim wait for.
struct Published;

#[async_trait]
impl TxtLookup for Published {
    async fn txt(&self, _name: &str) -> Result<Vec<String>, Box<dyn error::Error + Send + Sync>> {
        Ok(vec![format!("partywall-verification={}", "7".repeat(64))])
    }
}

/// What an application's handler does.
async fn write_note(account: RequestAccount) -> Result<(), Error> {
    account.require("note.write")?;
    let tx = account.write().await?;
    account
        .audit(&tx, partywall::identity::AuditEntry::new("note.written"))
        .await?;
    Ok(tx.commit().await?)
}

const ROLES: [&str; 4] = ["viewer", "member", "admin", "owner"];

async fn things(world: &World) -> Things {
    let ann = world.account("ann", world.a).await;
    let name = |name: &str| Some(name.to_owned());
    let role = RoleChange {
        name: name("readers"),
        permissions: Some(vec!["note.read".to_owned()]),
        ..RoleChange::default()
    };
    let role = ann.role_create(role).await.unwrap();
    let group = GroupChange {
        name: name("readers"),
        roles: Some(vec![role]),
        ..GroupChange::default()
    };
    let group = ann.group_create(group).await.unwrap();
    let member = id("bob in a");
    ann.grant_give(member, "note.write").await.unwrap();
    let domain = ann.domain_add("notes.acme.example").await.unwrap().id;
    let known = format!("UPDATE identity.domain SET token = '{}'", "7".repeat(64));
    world.sql(&known).await;
    Things {
        member,
        role,
        group,
        domain,
    }
}

/// A tenant to which nothing was done, and somebody in it.
async fn fresh(role: &str) -> (World, RequestAccount, Things) {
    let world = World::new().await;
    let things = things(&world).await;
    let account = match role {
        "staff" => {
            let enter = format!(
                "INSERT INTO identity.staff_entry (id, tenant_id, user_id, session_id, reason, created_at, expires_at) \
                 VALUES (gen_random_uuid(), '{}', '{}', '{}', 'a ticket', now(), now() + interval '1 hour')",
                world.a,
                id("sue"),
                id("session of sue"),
            );
            world.test.as_superuser(&enter).await.unwrap();
            world.account("sue", world.a).await
        }
        "nothing" => {
            world.joins("cat", "viewer").await;
            let none = "DELETE FROM identity.account_role WHERE account_id IN \
                        (SELECT id FROM identity.account WHERE name = 'cat')";
            world.test.as_superuser(none).await.unwrap();
            world.account("cat", world.a).await
        }
        role => {
            world.joins("cat", role).await;
            world.account("cat", world.a).await
        }
    };
    (world, account, things)
}

/// What each operation answers somebody. One that was refused has changed nothing, nor has one that
/// reads: the next has the same tenant.
async fn observe(role: &str) -> Vec<String> {
    let mut answers = Vec::new();
    let mut tenant = fresh(role).await;
    for (name, operation) in OPERATIONS {
        let (_, account, things) = &tenant;
        match operation(account.clone(), *things).await {
            Ok(()) => {
                answers.push("yes".to_owned());
                let reads = ["list", "one", "who may", "read"];
                if !reads.iter().any(|word| name.ends_with(word)) {
                    tenant = fresh(role).await;
                }
            }
            Err(error) => answers.push(error.code().to_owned()),
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_matrix_is_as_committed() {
    let mut text = String::from(
        "# Who may do what\n\nWritten by `matrix.rs`, with `UPDATE_MATRIX=1`.\n\n\
         ## What the built-in roles hold\n\n| resource | action | viewer | member | admin | owner |\n|---|---|---|---|---|---|\n",
    );
    let declared = permissions();
    for (permission, least) in declared.all() {
        let (resource, action) = permission.split_once('.').unwrap();
        let _ = write!(text, "| {resource} | {action} |");
        for role in BuiltIn::ALL {
            let cell = if role >= least { "yes" } else { "" };
            let _ = write!(text, " {cell} |");
            assert_eq!(declared.of(role).has(permission), role >= least);
        }
        text.push('\n');
    }
    text.push_str(
        "\n## What each operation answered\n\n\
         Each cell is a call, on a member who holds `member` and one grant, in a tenant to which nothing was done. \
         `nothing` is an account without a role, `staff` a visit of the support staff.\n\n\
         | operation | nothing | staff | viewer | member | admin | owner |\n|---|---|---|---|---|---|---|\n",
    );
    let mut columns = Vec::new();
    for role in ["nothing", "staff"].into_iter().chain(ROLES) {
        columns.push(observe(role).await);
    }
    for (n, (name, _)) in OPERATIONS.iter().enumerate() {
        let _ = write!(text, "| {name} |");
        for column in &columns {
            let _ = write!(text, " {} |", column[n]);
        }
        text.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/identity/matrix.md");
    if std::env::var_os("UPDATE_MATRIX").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "matrix.md is not as it is observed: run with UPDATE_MATRIX=1 and read what changed\n{text}"
    );
}
