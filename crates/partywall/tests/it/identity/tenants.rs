//! Tenants from their creation to their end: I68, I69.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use partywall::{
    Sql,
    identity::{Error, ErrorKind, Event, MemberChange, Progress, TenantChange, TenantSelector},
};
use uuid::Uuid;

use super::world::{World, id, token};

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

fn slug(slug: &str) -> TenantChange {
    TenantChange {
        slug: Some(slug.to_owned()),
        ..Default::default()
    }
}

#[tokio::test]
async fn whoever_creates_a_tenant_owns_it() {
    let world = World::new().await;
    let bob = world.user("bob").await;
    let mut events = world.identity.events();
    let made = bob.tenant_create(" Acme & Co ", "acme").await.unwrap();
    let tenant = made.tenant().id;
    assert_eq!(
        events.recv().await.unwrap(),
        Event::TenantCreated { tenant }
    );
    let account = world.account("bob", tenant).await;
    assert_eq!(account.permissions(), made.permissions());
    assert_eq!(account.tenant().name, "Acme & Co");
    account.require("tenant.delete").unwrap();
    let roles = account.role_list().await.unwrap();
    assert!(roles.iter().all(|role| role.builtin.is_some()) && roles.len() == 4);
    assert_eq!(
        account.audit_list(None, 5).await.unwrap()[0].action,
        "tenant.created"
    );
    assert_eq!(account.member_list(None, 5).await.unwrap().len(), 1);
    let found = world
        .identity
        .authenticate(&token("bob"), TenantSelector::Slug("acme"), None)
        .await
        .unwrap();
    assert_eq!(found.account().unwrap().tenant().id, tenant);
    // Nobody else is in it.
    let ann = world.account_or("ann", tenant).await;
    assert_eq!(ann.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_slug_is_one_tenants() {
    let world = World::new().await;
    let bob = world.user("bob").await;
    bob.tenant_create("Acme", "acme").await.unwrap();
    assert_eq!(code(bob.tenant_create("Other", "acme").await), "taken");
    for bad in ["A", "www", "-ab", "0192f0c8-7d3e-7a51-8a3f-2b1c9d0e4f5a"] {
        assert_eq!(
            code(bob.tenant_create("Other", bad).await),
            "invalid",
            "{bad}"
        );
    }
    for bad in ["", "a\u{7}b"] {
        assert_eq!(code(bob.tenant_create(bad, "other").await), "invalid");
    }
    let other = bob.tenant_create("Other", "other").await.unwrap();
    assert_eq!(code(other.tenant_change(slug("acme")).await), "taken");
    other.tenant_change(slug("acme2")).await.unwrap();
    bob.tenant_create("Third", "other").await.unwrap();
    let before = world.count("SELECT count(*) FROM identity.tenant").await;
    assert_eq!(before, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_want_a_slug_one_gets_it() {
    let world = World::new().await;
    let bob = world.user("bob").await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let bob = bob.clone();
            tokio::spawn(async move { bob.tenant_create("Acme", "acme").await })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(error.code(), "taken"),
        }
    }
    assert_eq!(made, 1);
    // What was refused left nothing behind.
    assert_eq!(world.count("SELECT count(*) FROM identity.role").await, 12);
}

#[tokio::test]
async fn a_tenant_is_changed_by_who_may() {
    let world = World::new().await;
    let bob = world.account("bob", world.a).await;
    assert_eq!(code(bob.tenant_change(slug("bobs")).await), "forbidden");
    let ann = world.account("ann", world.a).await;
    let change = TenantChange {
        name: Some("Ann's".to_owned()),
        slug: Some("anns".to_owned()),
        seats: Some(Some(7)),
    };
    ann.tenant_change(change).await.unwrap();
    let ann = world.account("ann", world.a).await;
    let tenant = ann.tenant();
    assert_eq!(
        (tenant.name.as_str(), tenant.slug.as_str(), tenant.seats),
        ("Ann's", "anns", Some(7))
    );
    ann.tenant_change(TenantChange::default()).await.unwrap();
    assert_eq!(world.account("ann", world.a).await.tenant(), tenant);
    let none = TenantChange {
        seats: Some(Some(0)),
        ..Default::default()
    };
    assert_eq!(code(ann.tenant_change(none).await), "invalid");
}

#[tokio::test]
async fn i68_a_suspended_tenant_is_shut_to_members_and_nothing_to_others() {
    let world = World::new().await;
    let sue = world.user("sue").await;
    let late = world.account("ann", world.a).await;
    // Who is not of the staff cannot, and learns nothing.
    let ann = world.user("ann").await;
    for tenant in [world.a, Uuid::now_v7()] {
        assert_eq!(code(ann.tenant_suspend(tenant).await), "not_found");
    }
    sue.tenant_suspend(world.a).await.unwrap();
    assert_eq!(code(sue.tenant_suspend(world.a).await), "not_found");
    for name in ["ann", "bob"] {
        assert_eq!(code(world.account_or(name, world.a).await), "suspended");
    }
    for name in ["eve", "sue"] {
        assert_eq!(code(world.account_or(name, world.a).await), "not_found");
    }
    // Whoever was let in before changes nothing more.
    assert_eq!(code(late.tenant_change(slug("late")).await), "suspended");
    world.account("ann", world.b).await;
    sue.tenant_resume(world.a).await.unwrap();
    assert_eq!(code(sue.tenant_resume(world.a).await), "not_found");
    let ann = world.account("ann", world.a).await;
    let entries = ann.audit_list(None, 10).await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.action.as_str(),
                entry.actor_name.as_str(),
                entry.actor_user,
            )
        })
        .collect();
    let sue = Some(id("sue"));
    assert_eq!(
        told,
        [
            ("tenant.resumed", "sue", sue),
            ("tenant.suspended", "sue", sue)
        ]
    );
}

#[tokio::test]
async fn i69_a_deleted_tenant_shows_nothing_under_its_slug() {
    let world = World::new().await;
    let bob = world.account("bob", world.a).await;
    assert_eq!(code(bob.tenant_delete().await), "forbidden");
    let ann = world.account("ann", world.a).await;
    ann.tenant_delete().await.unwrap();
    for name in ["ann", "bob", "eve"] {
        assert_eq!(code(world.account_or(name, world.a).await), "not_found");
    }
    assert_eq!(code(ann.tenant_change(slug("late")).await), "not_found");
    // Somebody else takes the slug.
    let eve = world.user("eve").await;
    let new = eve.tenant_create("New", "a-new").await.unwrap();
    let sql = format!(
        "UPDATE identity.tenant SET slug = 'a' WHERE id = '{}'",
        new.tenant().id
    );
    world.test.as_superuser(&sql).await.unwrap();
    for (name, expected) in [
        ("eve", None),
        ("ann", Some("not_found")),
        ("bob", Some("not_found")),
    ] {
        let found = world
            .identity
            .authenticate(&token(name), TenantSelector::Slug("a"), None)
            .await
            .unwrap()
            .account();
        assert_eq!(found.as_ref().err().map(Error::code), expected, "{name}");
    }
    let eve = world.account("eve", new.tenant().id).await;
    assert_eq!(eve.member_list(None, 10).await.unwrap().len(), 1);
    assert_eq!(eve.audit_list(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_deleted_tenant_comes_back_within_its_grace() {
    let world = World::new().await;
    let eve = world.account("eve", world.b).await;
    eve.tenant_delete().await.unwrap();
    // ann only views it, bob is not in it.
    assert_eq!(
        code(
            world
                .authenticated("ann", world.b)
                .await
                .tenant_restore("bb")
                .await
        ),
        "forbidden"
    );
    assert_eq!(
        code(
            world
                .authenticated("bob", world.b)
                .await
                .tenant_restore("bb")
                .await
        ),
        "not_found"
    );
    let owner = world.authenticated("eve", world.b).await;
    assert_eq!(code(owner.tenant_restore("x").await), "invalid");
    let bob = world.user("bob").await;
    bob.tenant_create("Acme", "acme").await.unwrap();
    assert_eq!(code(owner.tenant_restore("acme").await), "taken");
    owner.tenant_restore("bb").await.unwrap();
    let eve = world.account("eve", world.b).await;
    assert_eq!(eve.tenant().slug, "bb");
    assert_eq!(code(owner.tenant_restore("bb").await), "not_found");
    // When its time is over it is over.
    eve.tenant_delete().await.unwrap();
    let over = "UPDATE identity.tenant SET delete_after = now() - interval '1 s' WHERE delete_after IS NOT NULL";
    world.test.as_superuser(over).await.unwrap();
    let owner = world.authenticated("eve", world.b).await;
    assert_eq!(code(owner.tenant_restore("bb").await), "not_found");
}

/// Rows of the application's tables in a tenant: notes that answer one another, comments, votes.
async fn write_notes(world: &World, tenant: Uuid, author: Uuid, notes: u32) {
    let sql = format!(
        "INSERT INTO note (id, tenant_id, author_id, answers_id, title, body, size, data, tags, at) \
         SELECT md5('{tenant}' || n)::uuid, '{tenant}', '{author}', \
                CASE WHEN n < {notes} THEN md5('{tenant}' || n + 1)::uuid END, \
                'note ' || n, '{{}}', 0, '', '{{}}', now() FROM generate_series(1, {notes}) AS n;\
         INSERT INTO comment (id, tenant_id, note_id, body) \
         SELECT gen_random_uuid(), '{tenant}', md5('{tenant}' || n)::uuid, 'x' \
         FROM generate_series(1, {notes}) AS n, generate_series(1, 3);\
         INSERT INTO poll (id, tenant_id) VALUES (md5('{tenant} poll')::uuid, '{tenant}');\
         INSERT INTO vote (id, poll_id) SELECT gen_random_uuid(), md5('{tenant} poll')::uuid \
         FROM generate_series(1, 5);"
    );
    world.test.as_superuser(&sql).await.unwrap();
}

const OVER: &str = "UPDATE identity.tenant SET delete_after = now() WHERE delete_after IS NOT NULL";

#[tokio::test]
async fn a_deleted_tenant_is_gone_when_its_time_is_over() {
    let world = World::new().await;
    write_notes(&world, world.a, id("ann in a"), 900).await;
    write_notes(&world, world.b, id("eve in b"), 10).await;
    let ann = world.account("ann", world.a).await;
    ann.tenant_delete().await.unwrap();
    // Not before.
    let purged = world.identity.tenants_purge(|_| ()).await.unwrap();
    assert!(purged.gone.is_empty() && purged.failed.is_empty());
    let owner = world.authenticated("ann", world.a).await;
    owner.tenant_restore("still-here").await.unwrap();
    world
        .account("ann", world.a)
        .await
        .tenant_delete()
        .await
        .unwrap();
    world.test.as_superuser(OVER).await.unwrap();
    let mut events = world.identity.events();
    let mut progress: Vec<Progress> = Vec::new();
    let purged = world
        .identity
        .tenants_purge(|step| progress.push(step))
        .await
        .unwrap();
    assert_eq!(purged.gone, [world.a]);
    assert!(purged.failed.is_empty(), "{:?}", purged.failed);
    let gone = Event::TenantGone { tenant: world.a };
    assert_eq!(events.recv().await.unwrap(), gone);
    let of = |table: &str| -> Vec<u64> {
        let steps = progress.iter().filter(|step| step.table == table);
        steps.map(|step| step.rows).collect()
    };
    assert_eq!(of("public.comment"), [1_000, 2_000, 2_700]);
    assert_eq!(of("public.note"), [900]);
    assert_eq!(of("public.vote"), [5]);
    assert!(of("identity.audit")[0] >= 3);
    assert_eq!(progress.last().unwrap().table, "identity.tenant");
    // Nothing of it is left in any table, and all of the other is there.
    for group in [
        "note",
        "comment",
        "poll",
        "identity.account",
        "identity.role",
        "identity.audit",
    ] {
        let sql = format!(
            "SELECT count(*) FROM {group} WHERE tenant_id = '{}'",
            world.a
        );
        assert_eq!(world.count(&sql).await, 0, "{group}");
    }
    let votes = world.count("SELECT count(*) FROM vote").await;
    let comments = world.count("SELECT count(*) FROM comment").await;
    let notes = world.count("SELECT count(*) FROM note").await;
    assert_eq!((votes, comments, notes), (5, 30, 10));
    world
        .account("eve", world.b)
        .await
        .require("tenant.delete")
        .unwrap();
    assert_eq!(
        world.count("SELECT count(*) FROM partywall.crossing").await,
        2
    );
    // The people are there still, and bob has no tenant any more.
    assert_eq!(
        world.count("SELECT count(*) FROM identity.\"user\"").await,
        4
    );
    assert_eq!(code(world.account_or("bob", world.a).await), "not_found");
}

#[tokio::test]
async fn a_removal_that_was_stopped_goes_on() {
    let world = World::new().await;
    write_notes(&world, world.a, id("ann in a"), 900).await;
    world
        .account("ann", world.a)
        .await
        .tenant_delete()
        .await
        .unwrap();
    world.test.as_superuser(OVER).await.unwrap();
    let identity = world.identity.clone();
    let stopped = tokio::spawn(async move {
        identity
            .tenants_purge(|step| assert!(step.rows < 2_000, "stopped here"))
            .await
    });
    assert!(stopped.await.unwrap_err().is_panic());
    assert_eq!(world.count("SELECT count(*) FROM comment").await, 700);
    assert_eq!(
        code(
            world
                .authenticated("ann", world.a)
                .await
                .tenant_restore("aa")
                .await
        ),
        "not_found"
    );
    let purged = world.identity.tenants_purge(|_| ()).await.unwrap();
    assert_eq!(purged.gone, [world.a]);
    assert_eq!(world.count("SELECT count(*) FROM comment").await, 0);
}

/// What keeps one tenant does not keep the next.
#[tokio::test]
async fn a_tenant_that_cannot_go_does_not_keep_others() {
    let world = World::new().await;
    let keep = format!(
        "CREATE TABLE ledger (of uuid REFERENCES identity.tenant (id)); \
         INSERT INTO ledger VALUES ('{}')",
        world.a
    );
    world.test.as_superuser(&keep).await.unwrap();
    for (name, tenant) in [("ann", world.a), ("eve", world.b)] {
        world
            .account(name, tenant)
            .await
            .tenant_delete()
            .await
            .unwrap();
    }
    world.test.as_superuser(OVER).await.unwrap();
    let purged = world.identity.tenants_purge(|_| ()).await.unwrap();
    assert_eq!(purged.gone, [world.b]);
    assert_eq!(purged.failed.len(), 1);
    assert_eq!(purged.failed[0].0, world.a);
    world.test.as_superuser("DROP TABLE ledger").await.unwrap();
    assert_eq!(
        world.identity.tenants_purge(|_| ()).await.unwrap().gone,
        [world.a]
    );
}

/// Nobody ends, hands over or leaves a tenant as somebody else.
#[tokio::test]
async fn who_acts_as_somebody_does_not_end_things() {
    let world = World::new().await;
    world.sue_acts_as("ann").await;
    let ann = world.account("ann", world.a).await;
    for refused in [
        ann.tenant_delete().await,
        ann.transfer(id("bob in a")).await,
        ann.leave().await,
    ] {
        assert_eq!(code(refused), "impersonating");
    }
    let user = world.user("ann").await;
    assert_eq!(
        code(user.tenant_create("New", "new-one").await),
        "impersonating"
    );
    // The control: what ann may do otherwise, and it says who did it.
    let off = MemberChange {
        roles: None,
        active: Some(false),
    };
    ann.member_change(id("bob in a"), off).await.unwrap();
    let entry = &ann.audit_list(None, 1).await.unwrap()[0];
    assert_eq!(
        (entry.actor_user, entry.subject_user),
        (Some(id("sue")), Some(id("ann")))
    );
}

/// Reading goes on while a tenant is exported and nothing of it is seen half.
#[tokio::test]
async fn an_export_needs_no_rest() {
    let world = World::new().await;
    write_notes(&world, world.a, id("ann in a"), 900).await;
    let ann = world.account("ann", world.a).await;
    let mut file = Box::pin(ann.tenant_export().await.unwrap());
    let first = file.try_next().await.unwrap().unwrap();
    assert!(first.starts_with(b"{\"format\""));
    let tx = ann.write().await.unwrap();
    tx.execute_sql("DELETE FROM comment", []).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), tx.commit())
        .await
        .unwrap()
        .unwrap();
    let rest: Vec<_> = file.try_collect().await.unwrap();
    let text = String::from_utf8(rest.concat()).unwrap();
    let comments = text
        .lines()
        .filter(|line| line.starts_with("{\"table\":\"public.comment\""))
        .count();
    assert_eq!(comments, 2_700);
    assert_eq!(world.count("SELECT count(*) FROM comment").await, 0);
}
