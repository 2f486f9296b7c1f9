//! Who is a member, and how that changes: I46–I48, I51–I54, I70.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use partywall::{
    Sql,
    identity::{
        Error, ErrorKind, Event, Identity, MemberChange, RequestAccount, TenantChange,
        TenantSelector,
    },
};
use uuid::Uuid;

use super::world::{World, id, token};

fn roles(names: &[&str]) -> MemberChange {
    MemberChange {
        roles: Some(names.iter().map(|name| id(&format!("a {name}"))).collect()),
        active: None,
    }
}

fn active(active: bool) -> MemberChange {
    MemberChange {
        roles: None,
        active: Some(active),
    }
}

fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

#[tokio::test]
async fn i46_a_revoked_role_holds_from_the_next_request() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let bob = world.account("bob", world.a).await;
    bob.require("note.write").unwrap();
    ann.member_change(id("bob in a"), roles(&["viewer"]))
        .await
        .unwrap();
    let bob = world.account("bob", world.a).await;
    assert_eq!(kind(bob.require("note.write")), "forbidden");
    bob.require("note.read").unwrap();
    // The control: what was given holds as soon.
    ann.member_change(id("bob in a"), roles(&["viewer", "admin"]))
        .await
        .unwrap();
    let bob = world.account("bob", world.a).await;
    bob.require("member.write").unwrap();
    let member = bob.member(id("bob in a")).await.unwrap();
    assert_eq!(member.role_names, ["admin", "viewer"]);
}

/// A change that began with rights that were taken meanwhile does not go through with them.
#[tokio::test]
async fn i46_rights_are_asked_for_again_behind_the_lock() {
    let world = World::new().await;
    world.joins("amy", "admin").await;
    let ann = world.account("ann", world.a).await;
    let amy = world.account("amy", world.a).await;
    ann.member_change(id("amy in a"), roles(&["viewer"]))
        .await
        .unwrap();
    assert!(amy.has("member.write"), "read before it was taken");
    let late = amy.member_change(id("bob in a"), roles(&["viewer"])).await;
    assert_eq!(kind(late), "forbidden");
    ann.member_change(id("bob in a"), roles(&["viewer"]))
        .await
        .unwrap();
}

#[tokio::test]
async fn i47_a_removed_member_is_nobody_there_and_somebody_elsewhere() {
    let world = World::new().await;
    world.joins("amy", "owner").await;
    let mut events = world.identity.events();
    let amy = world.account("amy", world.a).await;
    amy.member_remove(id("ann in a")).await.unwrap();
    let gone = world.account_or("ann", world.a).await;
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);
    let elsewhere = world.account("ann", world.b).await;
    elsewhere.require("note.read").unwrap();
    assert_eq!(
        events.recv().await.unwrap(),
        Event::MemberRemoved {
            tenant: world.a,
            account: id("ann in a")
        }
    );
    // Authorship stays.
    let name: String = amy
        .read()
        .scalar(
            "SELECT name FROM identity.account WHERE id = $1",
            [id("ann in a").into()],
        )
        .await
        .unwrap();
    assert_eq!(name, "ann");
    assert_eq!(kind(amy.member(id("ann in a")).await), "not_found");
    let again = amy.member_remove(id("ann in a")).await;
    assert_eq!(kind(again), "not_found");
}

/// Hundreds of members write while they are removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i48_no_write_is_committed_after_the_removal() {
    const MEMBERS: usize = 40;
    const WRITES: usize = 10;
    let world = World::new().await;
    for n in 0..MEMBERS {
        world.joins(&format!("m{n}"), "member").await;
    }
    let ann = Arc::new(world.account("ann", world.a).await);
    let (done, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let counts = Arc::new((done, refused));
    let mut tasks = Vec::new();
    for n in 0..MEMBERS {
        let account = world.account(&format!("m{n}"), world.a).await;
        let is_removed = Arc::new(AtomicBool::new(false));
        let remover = (ann.clone(), is_removed.clone());
        tasks.push(tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis((n as u64 * 7) % 60)).await;
            let target = id(&format!("m{n} in a"));
            remover.0.member_remove(target).await.unwrap();
            remover.1.store(true, Ordering::SeqCst);
        }));
        let counts = counts.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..WRITES {
                if write(&account, &is_removed).await {
                    counts.0.fetch_add(1, Ordering::Relaxed);
                } else {
                    counts.1.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    for task in tasks {
        tokio::time::timeout(Duration::from_secs(60), task)
            .await
            .expect("no deadlock")
            .unwrap();
    }
    let (done, refused) = (&counts.0, &counts.1);
    let (done, refused) = (done.load(Ordering::SeqCst), refused.load(Ordering::SeqCst));
    assert_eq!(done + refused, MEMBERS * WRITES);
    assert!(done > 0 && refused > 0, "{done} written, {refused} refused");
    let rows = world
        .count("SELECT count(*) FROM identity.audit WHERE action = 'note.written'")
        .await;
    assert_eq!(usize::try_from(rows).unwrap(), done);
}

/// Writes something. Tells whether it was committed; panics when that was after the removal.
async fn write(account: &RequestAccount, is_removed: &AtomicBool) -> bool {
    let was_removed = is_removed.load(Ordering::SeqCst);
    let tx = account.write().await.unwrap();
    let entry = partywall::identity::AuditEntry::new("note.written");
    if let Err(error) = account.audit(&tx, entry).await {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        return false;
    }
    assert!(!was_removed, "a removed member began to write");
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert!(
        !is_removed.load(Ordering::SeqCst),
        "the removal did not wait for a write in flight"
    );
    tx.commit().await.unwrap();
    true
}

#[tokio::test]
async fn i51_a_group_or_role_of_another_tenant_is_none() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let eve = world.account("eve", world.b).await;
    let group = |name: &str| partywall::identity::GroupChange {
        name: Some(name.to_owned()),
        ..Default::default()
    };
    let of_b = eve.group_create(group("editors")).await.unwrap();
    let of_a = ann.group_create(group("editors")).await.unwrap();
    let with_bob = || partywall::identity::GroupChange {
        members: Some(vec![id("bob in a")]),
        ..Default::default()
    };
    ann.group_change(of_a, with_bob()).await.unwrap();
    for missing in [of_b, Uuid::now_v7()] {
        assert_eq!(
            kind(ann.group_change(missing, with_bob()).await),
            "not_found"
        );
    }
    for account in [id("bob in a"), Uuid::now_v7()] {
        let foreign = partywall::identity::GroupChange {
            members: Some(vec![account]),
            ..Default::default()
        };
        assert_eq!(kind(eve.group_change(of_b, foreign).await), "invalid");
    }
    for role in [id("b viewer"), Uuid::now_v7()] {
        let change = MemberChange {
            roles: Some(vec![role]),
            active: None,
        };
        assert_eq!(
            kind(ann.member_change(id("bob in a"), change).await),
            "invalid"
        );
    }
    for account in [id("eve in b"), Uuid::now_v7()] {
        let change = ann.member_change(account, roles(&["viewer"])).await;
        assert_eq!(kind(change), "not_found");
    }
}

/// Even past the wall, the keys of the database refuse to tie one tenant's role to another's account.
#[tokio::test]
async fn the_database_itself_refuses_a_foreign_role() {
    let world = World::new().await;
    let across = world.identity.db().across("a test").await.unwrap();
    let tie =
        "INSERT INTO identity.account_role (tenant_id, account_id, role_id) VALUES ($1, $2, $3)";
    for (tenant, account, role) in [
        (world.a, "bob in a", "b admin"),
        (world.b, "bob in a", "b admin"),
        (world.a, "eve in b", "a admin"),
    ] {
        let row = [tenant.into(), id(account).into(), id(role).into()];
        let error = across.execute_sql(tie, row).await.unwrap_err();
        assert_eq!(
            error.kind(),
            partywall::db::ErrorKind::ForeignKey,
            "{error}"
        );
    }
    let own = [world.a.into(), id("bob in a").into(), id("a admin").into()];
    across.execute_sql(tie, own).await.unwrap();
}

#[tokio::test]
async fn i52_nobody_gives_a_role_or_changes_a_member_beyond_themselves() {
    let world = World::new().await;
    let amy_id = world.joins("amy", "admin").await;
    let amy = world.account("amy", world.a).await;
    let ann = world.account("ann", world.a).await;
    let (bob_id, ann_id) = (id("bob in a"), id("ann in a"));
    // Upwards, for others and for oneself.
    for target in [bob_id, amy_id] {
        let given = amy.member_change(target, roles(&["owner"])).await;
        assert_eq!(kind(given), "grants_more");
    }
    // On somebody who holds more.
    assert_eq!(
        kind(amy.member_change(ann_id, roles(&["viewer"])).await),
        "grants_more"
    );
    assert_eq!(
        kind(amy.member_change(ann_id, active(false)).await),
        "grants_more"
    );
    assert_eq!(kind(amy.member_remove(ann_id).await), "grants_more");
    // The controls.
    amy.member_change(bob_id, roles(&["admin"])).await.unwrap();
    ann.member_change(bob_id, roles(&["owner"])).await.unwrap();
    ann.member_change(bob_id, roles(&["member"])).await.unwrap();
    amy.member_change(bob_id, active(false)).await.unwrap();
    // Who may not change members at all.
    let vic = world.joins("vic", "member").await;
    let vic_account = world.account("vic", world.a).await;
    assert_eq!(
        kind(vic_account.member_change(vic, roles(&["viewer"])).await),
        "forbidden"
    );
}

#[tokio::test]
async fn i53_the_last_owner_stays() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let ann_id = id("ann in a");
    let tries = async |ann: &RequestAccount| {
        [
            ann.member_change(ann_id, roles(&["admin"])).await,
            ann.member_change(ann_id, roles(&[])).await,
            ann.member_change(ann_id, active(false)).await,
            ann.member_remove(ann_id).await,
            ann.leave().await,
        ]
    };
    for refused in tries(&ann).await {
        let error = refused.unwrap_err();
        assert_eq!(error.code(), "last_owner");
        assert_eq!(error.kind(), ErrorKind::Conflict);
    }
    // An owner who cannot sign in, or whose account opens nothing, does not count.
    world.joins("amy", "owner").await;
    let sleep = "UPDATE identity.\"user\" SET deactivated_at = now() WHERE name = 'amy'";
    world.test.as_superuser(sleep).await.unwrap();
    assert_eq!(kind(ann.leave().await), "last_owner");
    let wake = "UPDATE identity.\"user\" SET deactivated_at = NULL WHERE name = 'amy'; \
                UPDATE identity.account SET deactivated_at = now() WHERE name = 'amy'";
    world.test.as_superuser(wake).await.unwrap();
    assert_eq!(kind(ann.leave().await), "last_owner");
    // The control: with another owner each is possible.
    let wake = "UPDATE identity.account SET deactivated_at = NULL WHERE name = 'amy'";
    world.test.as_superuser(wake).await.unwrap();
    ann.member_change(ann_id, roles(&["admin"])).await.unwrap();
    world.account("ann", world.a).await.leave().await.unwrap();
    let gone = world.account_or("ann", world.a).await;
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);
}

/// What two owners do at once to stop being owners, or to stop the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i53_of_two_owners_one_remains_whatever_both_do_at_once() {
    const ROUNDS: usize = 200;
    let world = Arc::new(World::new().await);
    let (ann_id, amy_id) = (id("ann in a"), world.joins("amy", "owner").await);
    let reset = format!(
        "UPDATE identity.account SET deactivated_at = NULL, removed_at = NULL, user_id = CASE id \
           WHEN '{ann_id}' THEN '{}'::uuid ELSE '{}'::uuid END WHERE id IN ('{ann_id}', '{amy_id}');\
         DELETE FROM identity.account_role WHERE account_id IN ('{ann_id}', '{amy_id}');\
         INSERT INTO identity.account_role (account_id, role_id, tenant_id) \
         SELECT a, '{}', '{}' FROM unnest(ARRAY['{ann_id}', '{amy_id}']::uuid[]) AS a;",
        id("ann"),
        id("amy"),
        id("a owner"),
        world.a,
    );
    let mut seen = BTreeSet::new();
    for round in 0..ROUNDS {
        world.test.as_superuser(&reset).await.unwrap();
        let ann = world.account("ann", world.a).await;
        let amy = world.account("amy", world.a).await;
        let pause = Duration::from_micros((round as u64 * 97) % 1_500);
        let act = move |one: RequestAccount, own: Uuid, other: Uuid, what: usize, pause| async move {
            tokio::time::sleep(pause).await;
            match what {
                0 => one.member_change(own, roles(&["admin"])).await,
                1 => one.member_change(other, roles(&["admin"])).await,
                2 => one.member_remove(other).await,
                3 => one.leave().await,
                4 => one.member_change(other, active(false)).await,
                _ => one.transfer(other).await,
            }
        };
        let (first, second) = (round % 6, (round / 6) % 6);
        let one = tokio::spawn(act(ann, ann_id, amy_id, first, pause));
        let two = tokio::spawn(act(amy, amy_id, ann_id, second, Duration::from_micros(700)));
        let both = async { (one.await.unwrap(), two.await.unwrap()) };
        let (one, two) = tokio::time::timeout(Duration::from_secs(20), both)
            .await
            .expect("no deadlock");
        for result in [&one, &two] {
            if let Err(error) = result {
                let codes = ["last_owner", "grants_more", "forbidden", "not_found"];
                assert!(codes.contains(&error.code()), "{first} {second}: {error:?}");
            }
        }
        let owners = world
            .count(&format!(
                "SELECT count(*) FROM identity.account_role ar \
                 JOIN identity.account a ON a.tenant_id = ar.tenant_id AND a.id = ar.account_id \
                 WHERE ar.role_id = '{}' AND a.deactivated_at IS NULL AND a.user_id IS NOT NULL",
                id("a owner"),
            ))
            .await;
        assert!(owners >= 1, "{first} {second}: {one:?} {two:?}");
        assert!(
            one.is_ok() || two.is_ok(),
            "{first} {second}: {one:?} {two:?}"
        );
        seen.insert((one.is_ok(), two.is_ok()));
    }
    assert!(
        seen.contains(&(true, false)) && seen.contains(&(false, true)),
        "{seen:?}"
    );
}

#[tokio::test]
async fn i54_a_transfer_is_one_step() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let bob = world.account("bob", world.a).await;
    assert_eq!(kind(bob.transfer(id("bob in a")).await), "forbidden");
    for nobody in [id("eve in b"), Uuid::now_v7()] {
        assert_eq!(kind(ann.transfer(nobody).await), "not_found");
    }
    assert_eq!(kind(ann.transfer(id("ann in a")).await), "invalid");
    ann.member_change(id("bob in a"), active(false))
        .await
        .unwrap();
    assert_eq!(kind(ann.transfer(id("bob in a")).await), "not_found");
    ann.member_change(id("bob in a"), active(true))
        .await
        .unwrap();
    let before = ann.member(id("ann in a")).await.unwrap();
    assert_eq!(before.role_names, ["owner"]);
    ann.transfer(id("bob in a")).await.unwrap();
    let bob = world.account("bob", world.a).await;
    bob.require("tenant.delete").unwrap();
    let ann = world.account("ann", world.a).await;
    assert_eq!(kind(ann.require("tenant.delete")), "forbidden");
    assert_eq!(
        ann.member(id("ann in a")).await.unwrap().role_names,
        ["admin"]
    );
    assert_eq!(kind(ann.transfer(id("bob in a")).await), "forbidden");
}

#[tokio::test]
async fn a_deactivated_member_opens_nothing_and_takes_no_seat() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let seats = |seats| TenantChange {
        seats: Some(seats),
        ..Default::default()
    };
    ann.tenant_change(seats(Some(2))).await.unwrap();
    ann.member_change(id("bob in a"), active(false))
        .await
        .unwrap();
    let closed = world.account_or("bob", world.a).await;
    assert_eq!(closed.unwrap_err().kind(), ErrorKind::NotFound);
    let listed = ann.member(id("bob in a")).await.unwrap();
    assert!(!listed.active && listed.role_names == ["member"]);
    // Somebody else takes the seat.
    let cat = world.joins("cat", "viewer").await;
    assert_eq!(
        kind(ann.member_change(id("bob in a"), active(true)).await),
        "no_seat"
    );
    ann.member_change(cat, active(false)).await.unwrap();
    // Nobody takes it who cannot sign in.
    let asleep = |time: &str| {
        format!("UPDATE identity.\"user\" SET deactivated_at = {time} WHERE name = 'bob'")
    };
    world.sql(&asleep("now()")).await;
    assert_eq!(
        kind(ann.member_change(id("bob in a"), active(true)).await),
        "invalid"
    );
    world.sql(&asleep("NULL")).await;
    ann.member_change(id("bob in a"), active(true))
        .await
        .unwrap();
    world
        .account("bob", world.a)
        .await
        .require("note.write")
        .unwrap();
    ann.tenant_change(seats(None)).await.unwrap();
    ann.member_change(cat, active(true)).await.unwrap();
}

/// Two accounts are reactivated at once where one seat is free.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_seat_is_taken_once() {
    let world = World::new().await;
    let cat = world.joins("cat", "viewer").await;
    let ann = Arc::new(world.account("ann", world.a).await);
    let two = TenantChange {
        seats: Some(Some(2)),
        ..Default::default()
    };
    ann.tenant_change(two).await.unwrap();
    for _ in 0..30 {
        for account in [cat, id("bob in a")] {
            ann.member_change(account, active(false)).await.unwrap();
        }
        let tasks = [cat, id("bob in a")].map(|account| {
            let ann = ann.clone();
            tokio::spawn(async move { ann.member_change(account, active(true)).await })
        });
        let mut taken = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => taken += 1,
                Err(error) => assert_eq!(error.code(), "no_seat"),
            }
        }
        assert_eq!(taken, 1);
    }
}

/// A removed account is not used again: whoever is invited anew gets a new one.
#[tokio::test]
async fn i70_who_comes_back_has_what_is_given_then() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    ann.member_change(id("bob in a"), roles(&["admin"]))
        .await
        .unwrap();
    ann.grant_give(id("bob in a"), "note.publish")
        .await
        .unwrap();
    let group = partywall::identity::GroupChange {
        name: Some("editors".to_owned()),
        members: Some(vec![id("bob in a")]),
        roles: Some(vec![id("a admin")]),
    };
    let group = ann.group_create(group).await.unwrap();
    ann.member_remove(id("bob in a")).await.unwrap();
    let again = Uuid::now_v7();
    let sql = format!(
        "INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) \
         VALUES ('{again}', '{a}', '{}', 'bob', 'bob@example.com', now());\
         INSERT INTO identity.account_role (account_id, role_id, tenant_id) VALUES ('{again}', '{}', '{a}');",
        id("bob"),
        id("a viewer"),
        a = world.a,
    );
    world.test.as_superuser(&sql).await.unwrap();
    let bob = world.account("bob", world.a).await;
    assert_eq!(bob.id(), Some(again));
    bob.require("note.read").unwrap();
    for permission in ["note.write", "note.publish", "member.write"] {
        assert_eq!(kind(bob.require(permission)), "forbidden");
    }
    let groups = ann.group_list().await.unwrap();
    assert!(
        groups
            .iter()
            .all(|one| one.id != group || one.members.is_empty())
    );
}

#[tokio::test]
async fn members_are_listed_page_by_page() {
    let world = World::new().await;
    for n in 0..5 {
        world.joins(&format!("m{n}"), "viewer").await;
    }
    let ann = world.account("ann", world.a).await;
    let (mut names, mut after) = (BTreeSet::new(), None);
    loop {
        let page = ann.member_list(after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        names.extend(page.into_iter().map(|member| member.name));
    }
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        ["ann", "bob", "m0", "m1", "m2", "m3", "m4"]
    );
    let eve = world.account("eve", world.b).await;
    assert_eq!(eve.member_list(None, 100).await.unwrap().len(), 2);
    assert_eq!(kind(eve.member(id("bob in a")).await), "not_found");
}

#[tokio::test]
async fn what_is_done_to_members_is_written_down() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    ann.member_change(id("bob in a"), roles(&["viewer"]))
        .await
        .unwrap();
    ann.member_change(id("bob in a"), active(false))
        .await
        .unwrap();
    ann.member_remove(id("bob in a")).await.unwrap();
    // What is refused is not done, and what changes nothing is nothing to tell.
    let _ = ann.leave().await.unwrap_err();
    let actions: Vec<String> = ann
        .audit_list(None, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(
        actions,
        [
            "member.removed",
            "member.deactivated",
            "member.roles_changed"
        ]
    );
    let eve = world.account("eve", world.b).await;
    assert!(eve.audit_list(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn i50_an_owner_elsewhere_is_nobody_here() {
    let world = World::new().await;
    let identity: &Identity = &world.identity;
    let eve = identity
        .authenticate(&token("eve"), TenantSelector::Id(world.a), None)
        .await
        .unwrap();
    assert_eq!(eve.account().unwrap_err().kind(), ErrorKind::NotFound);
    let ann = world.account("ann", world.b).await;
    assert_eq!(kind(ann.require("tenant.delete")), "forbidden");
    assert_eq!(kind(ann.tenant_delete().await), "forbidden");
    world
        .account("ann", world.a)
        .await
        .require("tenant.delete")
        .unwrap();
}
