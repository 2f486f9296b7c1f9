//! A request's transaction holds its account from the first statement on: I48, one case at a time.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use futures_util::TryStreamExt;
use partywall::{
    Sql, Tx,
    db::{self, ErrorKind},
    identity::{self, AuditEntry, RequestAccount},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr, EntityTrait};
use uuid::Uuid;

use super::{
    note::comment,
    world::{World, id},
};
use crate::probe::{Leaves, Probe, abandon};

const INSERT: &str = "INSERT INTO identity.audit (id, at, action, actor_name, detail) \
                      VALUES (gen_random_uuid(), now(), 'note.written', 'x', '{}')";
const WRITTEN: &str = "SELECT count(*) FROM identity.audit WHERE action = 'note.written'";

async fn gone(world: &World, name: &str) -> RequestAccount {
    let account = world.account(name, world.a).await;
    let ann = world.account("ann", world.a).await;
    ann.member_remove(id(&format!("{name} in a")))
        .await
        .unwrap();
    account
}

fn is_gone(error: db::Error) {
    assert_eq!(error.kind(), ErrorKind::Gone, "{error:?}");
    assert_eq!(error.database().unwrap().code(), "PW003");
    not_found(error.into());
}

fn is_gone_behind(error: DbErr) {
    assert_eq!(db::Error::kind_behind(&error), ErrorKind::Gone, "{error:?}");
    not_found(error.into());
}

fn not_found(error: identity::Error) {
    assert!(matches!(error, identity::Error::NotFound), "{error:?}");
    assert_eq!(error.kind(), identity::ErrorKind::NotFound);
    assert_eq!(error.code(), "not_found");
    // And nothing tells it from any other.
    #[cfg(feature = "web")]
    assert_eq!(
        partywall::web::Problem::from(error),
        partywall::web::Problem::not_found()
    );
}

#[tokio::test]
async fn whoever_is_gone_writes_nothing_by_any_way() {
    let world = World::new().await;
    let bob = gone(&world, "bob").await;
    let begin = async || -> Tx { bob.write().await.unwrap() };
    is_gone(begin().await.execute_sql(INSERT, []).await.unwrap_err());
    // One that nobody has prepared, and the same again.
    for _ in 0..2 {
        let sql = format!("{INSERT} /* of bob's */");
        is_gone(begin().await.execute_sql(&sql, []).await.unwrap_err());
        let sql = format!("{INSERT} /* of bob's, the last */");
        let tx = begin().await.committing();
        is_gone(tx.execute_sql(&sql, []).await.unwrap_err());
    }
    let rows = begin().await.stream_sql("SELECT 1", []).await.map(drop);
    is_gone(rows.unwrap_err());
    let rows = begin().await.committing();
    is_gone(rows.stream_sql("SELECT 1", []).await.map(drop).unwrap_err());
    let copied = begin().await.copy_out("COPY (SELECT 1) TO STDOUT").await;
    is_gone(copied.map(drop).unwrap_err());
    let row = || comment::ActiveModel {
        id: Set(Uuid::now_v7()),
        note_id: Set(Uuid::now_v7()),
        body: Set(String::new()),
    };
    is_gone_behind(row().insert(&begin().await).await.unwrap_err());
    is_gone_behind(row().insert(&begin().await.committing()).await.unwrap_err());
    let found = comment::Entity::find().all(&begin().await).await;
    is_gone_behind(found.unwrap_err());
    let entry = || AuditEntry::new("note.written");
    not_found(bob.audit(&begin().await, entry()).await.unwrap_err());
    let tx = begin().await.committing();
    not_found(bob.audit(&tx, entry()).await.unwrap_err());
    // Going on regardless does not help.
    let tx = begin().await;
    tx.execute_sql(INSERT, []).await.unwrap_err();
    let next = tx.execute_sql(INSERT, []).await;
    assert!(matches!(next, Err(db::Error::Aborted)), "{next:?}");
    assert!(matches!(tx.commit().await, Err(db::Error::Aborted)));
    // Nor does a savepoint, which comes behind the hold.
    let tx = begin().await;
    let inner = tx.nested().unwrap();
    is_gone(inner.execute_sql(INSERT, []).await.unwrap_err());
    drop(inner);
    tx.execute_sql(INSERT, []).await.unwrap_err();
    let last = tx.committing().execute_sql(INSERT, []).await;
    last.unwrap_err();
    let tx = begin().await;
    let inner = tx.nested().unwrap();
    inner.execute_sql(INSERT, []).await.unwrap_err();
    drop(inner);
    tx.commit().await.unwrap_err();
    // Nothing was sent, nothing was held and nothing written.
    begin().await.commit().await.unwrap();
    begin().await.rollback().await.unwrap();
    assert_eq!(world.count(WRITTEN).await, 0);
}

/// The control: a member does all of that.
#[tokio::test]
async fn whoever_is_there_writes() {
    let world = World::new().await;
    let bob = world.account("bob", world.a).await;
    let begin = async || -> Tx { bob.write().await.unwrap() };
    let tx = begin().await;
    tx.execute_sql(INSERT, []).await.unwrap();
    tx.commit().await.unwrap();
    let tx = begin().await.committing();
    tx.execute_sql(INSERT, []).await.unwrap();
    let tx = begin().await;
    let inner = tx.nested().unwrap();
    inner.execute_sql(INSERT, []).await.unwrap();
    inner.commit().await.unwrap();
    bob.audit(&tx.committing(), AuditEntry::new("note.written"))
        .await
        .unwrap();
    let tx = begin().await;
    let copied = tx.copy_out("COPY (SELECT 1) TO STDOUT").await.unwrap();
    assert_eq!(copied.try_collect::<Vec<_>>().await.unwrap().len(), 1);
    tx.rollback().await.unwrap();
    assert_eq!(world.count(WRITTEN).await, 4);
}

/// A removal waits for whoever holds the account, and not for a transaction that has sent nothing.
#[tokio::test]
async fn the_hold_begins_with_the_first_statement() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let bob = world.account("bob", world.a).await;
    let waiting = bob.write().await.unwrap();
    let tx = bob.write().await.unwrap();
    tx.execute_sql(INSERT, []).await.unwrap();
    let mut removal = pin!(ann.member_remove(id("bob in a")));
    let early = tokio::time::timeout(Duration::from_millis(300), &mut removal).await;
    assert!(early.is_err(), "the removal did not wait");
    tx.committing().execute_sql(INSERT, []).await.unwrap();
    removal.await.unwrap();
    is_gone(waiting.execute_sql(INSERT, []).await.unwrap_err());
    assert_eq!(world.count(WRITTEN).await, 2);
}

/// The first statement waits for a removal in flight, and then finds nobody.
#[tokio::test]
async fn a_write_waits_for_the_removal() {
    let world = World::new().await;
    let bob = world.account("bob", world.a).await;
    let probe = Probe::new(&world.test).await;
    let removal = format!(
        "BEGIN; UPDATE identity.account SET deactivated_at = now() WHERE id = '{}'",
        id("bob in a")
    );
    for keeps in [true, false] {
        probe.run(&removal).await;
        let tx = bob.write().await.unwrap().committing();
        let mut write = tx.execute_sql(INSERT, []);
        let early = tokio::time::timeout(Duration::from_millis(200), &mut write).await;
        assert!(early.is_err(), "the write did not wait");
        // Taken back, the removal is none.
        probe.run(if keeps { "ROLLBACK" } else { "COMMIT" }).await;
        let done = write.await;
        if keeps {
            done.unwrap();
        } else {
            is_gone(done.unwrap_err());
        }
        assert_eq!(world.count(WRITTEN).await, 1);
    }
}

/// Dropped at any await point, a write of whoever is gone has written nothing, and one of a member all
/// or nothing; the account is held no longer.
#[tokio::test]
async fn a_dropped_write_holds_nobody() {
    let world = World::new().await;
    let probe = Probe::new(&world.test).await;
    world.joins("cat", "member").await;
    let (bob, cat) = (
        gone(&world, "bob").await,
        world.account("cat", world.a).await,
    );
    let mut written = 0;
    for account in [&bob, &cat] {
        for case in 0..60_usize {
            let sql = format!("{INSERT} /* {} */", case % 3 * case);
            let work = async {
                let tx = account.write().await?;
                if case % 2 == 0 {
                    tx.execute_sql(&sql, []).await?;
                    tx.commit().await?;
                } else {
                    tx.committing().execute_sql(&sql, []).await?;
                }
                Ok::<_, identity::Error>(())
            };
            let ended = abandon(work, Leaves::Polls(case / 4)).await;
            probe.settled("a dropped write").await;
            let now = world.count(WRITTEN).await;
            if account.id() == bob.id() {
                assert_eq!(now, 0, "case {case}");
            } else {
                assert!([0, 1].contains(&(now - written)), "case {case}");
                assert!(!matches!(ended, Some(Ok(()))) || now == written + 1);
            }
            written = now;
        }
    }
    assert!((1..60).contains(&written), "{written} were written");
    let ann = world.account("ann", world.a).await;
    ann.member_remove(id("cat in a")).await.unwrap();
}

/// A statement whose future is dropped while it waits for a removal has not been done when that is.
#[tokio::test]
async fn a_write_that_is_dropped_while_it_waits_is_not_done() {
    let world = World::new().await;
    let bob = world.account("bob", world.a).await;
    let probe = Probe::new(&world.test).await;
    let removal = format!(
        "BEGIN; UPDATE identity.account SET deactivated_at = now() WHERE id = '{}'",
        id("bob in a")
    );
    probe.run(&removal).await;
    let tx = bob.write().await.unwrap();
    let mut dropped = tx.execute_sql(INSERT, []);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut dropped).await;
    assert!(early.is_err());
    drop(dropped);
    probe.run("COMMIT").await;
    // The transaction goes on for its owner, and to no avail.
    let next = tx.execute_sql(INSERT, []).await.unwrap_err();
    assert_eq!(next.database().unwrap().code(), "25P02", "{next:?}");
    tx.commit().await.unwrap_err();
    assert_eq!(world.count(WRITTEN).await, 0);
    // Nothing is awaited in between: a first poll sends all or, for what is parsed first, nothing.
    let tx = bob.write().await.unwrap();
    let mut never = pin!(tx.execute_sql("SELECT 'never parsed'", []));
    poll_fn(|cx| {
        assert!(never.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}
