//! SeaORM's transactions and streams, unchanged inside the wall.

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use partywall::{
    Sql,
    db::{Error, ErrorKind, Refused},
};
use sea_orm::{
    AccessMode, ActiveModelTrait, ActiveValue::Set, DbErr, EntityTrait, IsolationLevel,
    PaginatorTrait, TransactionError, TransactionSession, TransactionTrait,
};
use uuid::Uuid;

use crate::models::{Tenant, World, post};

const COUNT: &str = "SELECT count(*) FROM post";

fn draft(slug: &str) -> post::ActiveModel {
    post::ActiveModel {
        id: Set(Uuid::now_v7()),
        slug: Set(slug.to_owned()),
        title: Set(slug.to_owned()),
        ..Default::default()
    }
}

async fn posts(world: &World, tenant: &Tenant) -> u64 {
    post::Entity::find()
        .count(&world.test.as_scope(&tenant.scope))
        .await
        .unwrap()
}

#[tokio::test]
async fn closures_commit_and_roll_back() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    let committed = db.transaction(|tx| {
        Box::pin(async move {
            draft("outer").insert(tx).await?;
            let undone = tx.transaction(|tx| {
                Box::pin(async move {
                    draft("inner").insert(tx).await?;
                    Err::<(), DbErr>(DbErr::Custom("changed my mind".to_owned()))
                })
            });
            assert!(matches!(
                undone.await,
                Err(TransactionError::Transaction(DbErr::Custom(_)))
            ));
            tx.transaction(|tx| Box::pin(async move { draft("kept").insert(tx).await }))
                .await
                .unwrap();
            post::Entity::find().count(tx).await
        })
    });
    assert_eq!(committed.await.unwrap(), 5);
    assert_eq!(posts(&world, &world.a).await, 5);
    let rolled_back = db.transaction(|tx| {
        Box::pin(async move {
            post::Entity::delete_many().exec(tx).await?;
            Err::<(), DbErr>(DbErr::RecordNotInserted)
        })
    });
    assert!(matches!(
        rolled_back.await,
        Err(TransactionError::Transaction(DbErr::RecordNotInserted))
    ));
    assert_eq!(posts(&world, &world.a).await, 5);
    assert_eq!(posts(&world, &world.b).await, 3);
}

#[tokio::test]
async fn begin_and_commit_through_the_traits() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    let tx = TransactionTrait::begin(&db).await.unwrap();
    draft("new").insert(&tx).await.unwrap();
    let savepoint = TransactionTrait::begin(&tx).await.unwrap();
    draft("newer").insert(&savepoint).await.unwrap();
    TransactionSession::rollback(savepoint).await.unwrap();
    // Not yet to be seen from elsewhere.
    assert_eq!(posts(&world, &world.a).await, 3);
    TransactionSession::commit(tx).await.unwrap();
    assert_eq!(posts(&world, &world.a).await, 4);
}

#[tokio::test]
async fn begin_with_config_reaches_the_server() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    for (isolation, access, shown) in [
        (None, None, ("read committed", "off")),
        (
            Some(IsolationLevel::RepeatableRead),
            None,
            ("repeatable read", "off"),
        ),
        (
            Some(IsolationLevel::Serializable),
            Some(AccessMode::ReadOnly),
            ("serializable", "on"),
        ),
        (None, Some(AccessMode::ReadOnly), ("read committed", "on")),
    ] {
        let tx = db.begin_with_config(isolation, access).await.unwrap();
        assert_eq!(tx.scalar::<i64, _>(COUNT, []).await.unwrap(), 3);
        let show = async |sql: &str| tx.scalar::<String, _>(sql, []).await.unwrap();
        assert_eq!(show("SHOW transaction_isolation").await, shown.0);
        assert_eq!(show("SHOW transaction_read_only").await, shown.1);
        let written = tx.execute_sql("UPDATE post SET views = 1", []).await;
        assert_eq!(written.is_err(), shown.1 == "on");
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back() {
    let world = World::new().await;
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    tx.execute_sql("DELETE FROM post", []).await.unwrap();
    drop(tx);
    assert_eq!(posts(&world, &world.a).await, 3);
    // One that never sent anything leaves nothing to undo.
    drop(world.test.db().begin(&world.a.scope).await.unwrap());
    world
        .test
        .db()
        .begin(&world.a.scope)
        .await
        .unwrap()
        .commit()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_failure_in_a_savepoint_is_undone_with_it() {
    let world = World::new().await;
    // Refused by the parser, by a constraint, and while it runs; as the first statement of the
    // transaction and as a later one.
    for failing in [
        "SELEC 1",
        "SELECT nothing FROM post",
        "INSERT INTO post (id, slug, title) VALUES (gen_random_uuid(), 'post-0', 'x')",
        "SELECT 1/0",
    ] {
        for first in [true, false] {
            let tx = world.test.db().begin(&world.a.scope).await.unwrap();
            if !first {
                tx.execute_sql("UPDATE post SET views = 7", [])
                    .await
                    .unwrap();
            }
            let savepoint = tx.nested().unwrap();
            savepoint.execute_sql(failing, []).await.unwrap_err();
            savepoint.rollback().await.unwrap();
            let dropped = tx.nested().unwrap();
            dropped.execute_sql(failing, []).await.unwrap_err();
            drop(dropped);
            let committed = tx.nested().unwrap();
            committed.execute_sql(failing, []).await.unwrap_err();
            assert!(
                matches!(committed.commit().await, Err(Error::Aborted)),
                "{failing}"
            );
            assert_eq!(
                tx.execute_sql("UPDATE post SET views = views + 1", [])
                    .await
                    .unwrap(),
                3
            );
            tx.commit().await.unwrap();
        }
    }
    let db = world.test.as_scope(&world.a.scope);
    let views: i64 = db
        .scalar("SELECT max(views)::bigint FROM post", [])
        .await
        .unwrap();
    assert_eq!(views, 8);
}

#[tokio::test]
async fn after_a_failure_nothing_runs_and_nothing_is_kept() {
    let world = World::new().await;
    for failing in ["SELECT 1/0", "SELEC 1"] {
        for first in [true, false] {
            let tx = world.test.db().begin(&world.a.scope).await.unwrap();
            if !first {
                tx.execute_sql("DELETE FROM post", []).await.unwrap();
            }
            tx.execute_sql(failing, []).await.unwrap_err();
            let after = tx.execute_sql("DELETE FROM post", []).await;
            assert!(matches!(after, Err(Error::Aborted)), "{failing}: {after:?}");
            let orm = post::Entity::find().all(&tx).await.unwrap_err();
            assert_eq!(Error::kind_behind(&orm), ErrorKind::Aborted);
            assert!(matches!(tx.nested(), Err(Error::Aborted)));
            assert!(matches!(tx.commit().await, Err(Error::Aborted)));
        }
    }
    assert_eq!(posts(&world, &world.a).await, 3);
    // What was never sent does not count: the transaction goes on.
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    assert!(matches!(
        tx.execute_sql("COMMIT", []).await,
        Err(Error::Refused(_))
    ));
    assert!(matches!(
        tx.execute_sql(" ", []).await,
        Err(Error::Refused(Refused::Empty))
    ));
    draft("new").insert(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(posts(&world, &world.a).await, 4);
}

#[tokio::test]
async fn a_constraint_that_fails_at_commit_is_reported() {
    let world = World::new().await;
    world
        .test
        .as_superuser(
            "ALTER TABLE comment ALTER CONSTRAINT comment_tenant_id_post_id_fkey \
             DEFERRABLE INITIALLY DEFERRED",
        )
        .await
        .unwrap();
    let orphan =
        "INSERT INTO comment (id, post_id, body) VALUES (gen_random_uuid(), $1, '') RETURNING id";
    let nowhere = || [Uuid::now_v7().into()];
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    tx.execute_sql(orphan, nowhere()).await.unwrap();
    assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::ForeignKey);
    let db = world.test.as_scope(&world.a.scope);
    assert_eq!(
        db.execute_sql(orphan, nowhere()).await.unwrap_err().kind(),
        ErrorKind::ForeignKey
    );
    let streamed = db.stream_sql(orphan, nowhere()).await.unwrap();
    let last = streamed.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(Error::kind_behind(&last), ErrorKind::ForeignKey);
    let closure = db.transaction(|tx| {
        Box::pin(async move { tx.execute_sql(orphan, [Uuid::now_v7().into()]).await })
    });
    assert!(matches!(
        closure.await,
        Err(TransactionError::Connection(_))
    ));
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    tx.execute_sql(orphan, [world.a.posts[0].into()])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let comments: i64 = db.scalar("SELECT count(*) FROM comment", []).await.unwrap();
    assert_eq!(comments, 3);
}

#[tokio::test]
async fn an_open_stream_has_the_transaction_to_itself() {
    let world = World::new().await;
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    let mut rows = tx
        .stream_sql("SELECT * FROM generate_series(1, 2000), post", [])
        .await
        .unwrap();
    assert!(rows.next().await.unwrap().is_ok());
    assert!(matches!(
        tx.execute_sql("SELECT 1", []).await,
        Err(Error::Streaming)
    ));
    let orm = post::Entity::find().all(&tx).await.unwrap_err();
    assert_eq!(Error::kind_behind(&orm), ErrorKind::Refused);
    assert!(matches!(
        tx.stream_sql(COUNT, []).await.map(drop),
        Err(Error::Streaming)
    ));
    assert!(matches!(
        tx.copy_out("COPY post TO STDOUT").await.map(drop),
        Err(Error::Streaming)
    ));
    drop(rows);
    assert_eq!(tx.scalar::<i64, _>(COUNT, []).await.unwrap(), 3);
    let read: Vec<_> = tx
        .stream_sql("TABLE post", [])
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(read.len(), 3);
    draft("new").insert(&tx).await.unwrap();
    let mut copied = tx
        .copy_out("COPY (SELECT generate_series(1, 9000)) TO STDOUT")
        .await
        .unwrap();
    assert!(copied.next().await.unwrap().is_ok());
    assert!(matches!(
        tx.execute_sql("SELECT 1", []).await,
        Err(Error::Streaming)
    ));
    drop(copied);
    tx.commit().await.unwrap();
    assert_eq!(posts(&world, &world.a).await, 4);
}

#[tokio::test]
async fn a_stream_that_fails_fails_its_transaction() {
    let world = World::new().await;
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    tx.execute_sql("DELETE FROM post", []).await.unwrap();
    let rows = tx
        .stream_sql("SELECT 1 / (3 - n) FROM generate_series(1, 9) AS n", [])
        .await;
    let failed = match rows {
        Ok(rows) => rows.try_collect::<Vec<_>>().await.is_err(),
        Err(_) => true,
    };
    assert!(failed);
    assert!(matches!(tx.commit().await, Err(Error::Aborted)));
    assert_eq!(posts(&world, &world.a).await, 3);
    // Committing under an open stream is refused, and the work undone.
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    tx.execute_sql("DELETE FROM post", []).await.unwrap();
    let rows = tx
        .stream_sql("SELECT * FROM generate_series(1, 2000)", [])
        .await
        .unwrap();
    assert!(matches!(tx.commit().await, Err(Error::Streaming)));
    drop(rows);
    assert_eq!(posts(&world, &world.a).await, 3);
}

/// A nested transaction may begin while a statement of the outer one is still being prepared. The
/// statement is then not run at all, least of all behind the savepoint, which would undo it unasked.
#[tokio::test]
async fn d21_a_statement_that_is_overtaken_by_a_nested_transaction_is_refused() {
    let world = World::new().await;
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    tx.execute_sql("SELECT 1", []).await.unwrap();
    let sql = "UPDATE post SET title = 'overtaken'";
    let mut outer = tx.execute_sql(sql, []);
    assert!((&mut outer).now_or_never().is_none(), "it is parsed");
    let inner = tx.nested().unwrap();
    let refused = outer.await;
    assert!(
        matches!(refused, Err(Error::Refused(Refused::Nested))),
        "{refused:?}"
    );
    inner.execute_sql("DELETE FROM post", []).await.unwrap();
    inner.rollback().await.unwrap();
    // The control: with nothing in between it runs, and stays.
    assert_eq!(tx.execute_sql(sql, []).await.unwrap(), 3);
    tx.commit().await.unwrap();
    let db = world.test.as_scope(&world.a.scope);
    let titles = post::Entity::find().all(&db).await.unwrap();
    assert!(titles.iter().all(|post| post.title == "overtaken"));
}
