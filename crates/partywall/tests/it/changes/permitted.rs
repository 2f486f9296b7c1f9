//! Whoever loses a right hears nothing more, within the bound that is stated.

use std::time::{Duration, Instant};

use futures_util::{
    Stream, StreamExt as _,
    future::{BoxFuture, FutureExt as _},
};
use partywall::{
    db::Change,
    identity::{Identity, MemberChange, NewKey, RequestAccount, RequestUser, TenantSelector},
};
use uuid::Uuid;

use super::{
    next,
    people::{account, elsewhere, world, write},
};
use crate::identity::{
    note,
    world::{World, id, token},
};

async fn listening(account: &RequestAccount) -> impl Stream<Item = Change> + Unpin + use<> {
    let notes = account.changes().of::<note::Entity>();
    let notes = notes.subscribe().await.unwrap();
    Box::pin(account.while_permitted("note.read", notes))
}

async fn heard<S: Stream<Item = Change> + Unpin>(stream: &mut S, note: Uuid) {
    let Change::Row(row) = next(stream).await else {
        panic!("no row")
    };
    assert_eq!(row.id::<Uuid>(), Some(note));
}

type Takes = fn(&Identity) -> BoxFuture<'_, ()>;

async fn ann(identity: &Identity) -> RequestAccount {
    account(identity, &token("ann"), id("a")).await
}

/// Ways to take bob's right from him.
const WAYS: [(&str, Takes); 5] = [
    ("removed", |identity| remove(identity).boxed()),
    ("deactivated", |identity| {
        let change = MemberChange {
            active: Some(false),
            ..MemberChange::default()
        };
        change_bob(identity, change).boxed()
    }),
    ("without a role", |identity| {
        let change = MemberChange {
            roles: Some(Vec::new()),
            ..MemberChange::default()
        };
        change_bob(identity, change).boxed()
    }),
    ("signed out", |identity| sign_out(identity).boxed()),
    ("suspended", |identity| suspend(identity).boxed()),
];

async fn remove(identity: &Identity) {
    let ann = ann(identity).await;
    ann.member_remove(id("bob in a")).await.unwrap();
}

async fn change_bob(identity: &Identity, change: MemberChange) {
    let ann = ann(identity).await;
    ann.member_change(id("bob in a"), change).await.unwrap();
}

async fn person(identity: &Identity, name: &str) -> RequestUser {
    let found = identity
        .authenticate(&token(name), TenantSelector::Current, None)
        .await;
    found.unwrap().user.unwrap()
}

async fn sign_out(identity: &Identity) {
    let bob = person(identity, "bob").await;
    identity.sign_out(&bob).await.unwrap();
}

async fn suspend(identity: &Identity) {
    let sue = person(identity, "sue").await;
    sue.tenant_suspend(id("a")).await.unwrap();
}

/// What another process does is found out by asking, in time.
#[tokio::test]
async fn i49_a_stream_ends_within_the_bound() {
    const BOUND: Duration = Duration::from_secs(4);
    let tried = WAYS.map(|(way, take)| async move {
        let world = world(BOUND).await;
        let bob = account(&world.identity, &token("bob"), world.a).await;
        let mut stream = listening(&bob).await;
        // The controls: it tells him what there is, and it is open longer than the bound.
        heard(&mut stream, write(&world, "ann", "a").await).await;
        let later = tokio::time::timeout(BOUND + BOUND / 4, stream.next()).await;
        assert!(later.is_err(), "{way}: {later:?}");
        heard(&mut stream, write(&world, "ann", "a").await).await;
        let taken = Instant::now();
        take(&elsewhere(&world)).await;
        let end = tokio::time::timeout(BOUND * 3, stream.next()).await;
        let open = taken.elapsed();
        assert_eq!(end, Ok(None), "{way}");
        assert!(open <= BOUND, "{way}: it was open for {open:?}");
    });
    futures_util::future::join_all(tried).await;
}

/// What this process does ends it at once, however seldom it asks.
#[tokio::test]
async fn i49_what_is_known_here_is_not_waited_for() {
    const NEVER: Duration = Duration::from_secs(3_600);
    for (way, take) in WAYS {
        if way == "signed out" {
            continue; // Nobody tells of it, so the bound has to do.
        }
        let world = world(NEVER).await;
        let bob = account(&world.identity, &token("bob"), world.a).await;
        let own = account(&world.identity, &token("ann"), world.a).await;
        let (mut of_bob, mut of_ann) = (listening(&bob).await, listening(&own).await);
        heard(&mut of_bob, write(&world, "ann", "a").await).await;
        take(&world.identity).await;
        let end = tokio::time::timeout(Duration::from_secs(10), of_bob.next()).await;
        assert_eq!(end, Ok(None), "{way}");
        // Whoever stays goes on.
        if way != "suspended" {
            let Change::Row(_) = next(&mut of_ann).await else {
                panic!("no row")
            };
            heard(&mut of_ann, write(&world, "ann", "a").await).await;
        }
    }
}

/// What has waited for a slow reader is held back until it is known whether it is still theirs.
#[tokio::test]
async fn i49_a_reader_who_was_away_is_asked_first() {
    let bound = Duration::from_millis(500);
    let world = world(bound).await;
    let bob = account(&world.identity, &token("bob"), world.a).await;
    let own = account(&world.identity, &token("ann"), world.a).await;
    let (mut of_bob, mut of_ann) = (listening(&bob).await, listening(&own).await);
    ann(&elsewhere(&world))
        .await
        .member_remove(id("bob in a"))
        .await
        .unwrap();
    let note = write(&world, "ann", "a").await;
    tokio::time::sleep(bound * 2).await;
    assert_eq!(of_bob.next().await, None);
    heard(&mut of_ann, note).await;
}

#[tokio::test]
async fn i49_a_key_that_was_taken_back_hears_nothing_more() {
    const BOUND: Duration = Duration::from_secs(4);
    let world = world(BOUND).await;
    let owner = world.account("ann", world.a).await;
    let key = |name: &str| NewKey {
        name: name.to_owned(),
        permissions: vec!["note.read".to_owned()],
        ..NewKey::default()
    };
    let (row, key) = owner.key_create(key("reader")).await.unwrap();
    let found = world
        .identity
        .authenticate_key(&key, TenantSelector::Id(world.a), None)
        .await
        .unwrap();
    let mut stream = listening(&found.account().unwrap()).await;
    heard(&mut stream, write(&world, "ann", "a").await).await;
    ann(&elsewhere(&world))
        .await
        .key_revoke(row.id)
        .await
        .unwrap();
    let taken = Instant::now();
    let end = tokio::time::timeout(BOUND * 3, stream.next()).await;
    assert_eq!(end, Ok(None));
    assert!(taken.elapsed() <= BOUND);
}

/// A database that cannot be asked opens nothing.
#[tokio::test]
async fn i49_what_cannot_be_checked_ends() {
    let world: World = world(Duration::from_secs(1)).await;
    let bob = account(&world.identity, &token("bob"), world.a).await;
    let mut stream = listening(&bob).await;
    heard(&mut stream, write(&world, "ann", "a").await).await;
    world
        .test
        .as_superuser("ALTER FUNCTION partywall.identity_session RENAME TO away")
        .await
        .unwrap();
    let end = tokio::time::timeout(Duration::from_secs(10), stream.next()).await;
    assert_eq!(end, Ok(None));
}
