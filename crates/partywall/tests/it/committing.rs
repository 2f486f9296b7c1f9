//! The last statement of a transaction carries the COMMIT.

use futures_util::{StreamExt, TryStreamExt, future::join};
use partywall::{
    Sql, Tx,
    db::{Error, ErrorKind, Refused},
    testing::TestDb,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, TransactionTrait,
};
use uuid::Uuid;

use crate::{
    models::{World, post, schema},
    probe::{Leaves, abandon},
};

fn draft(slug: &str) -> post::ActiveModel {
    post::ActiveModel {
        id: Set(Uuid::now_v7()),
        slug: Set(slug.to_owned()),
        title: Set(slug.to_owned()),
        ..Default::default()
    }
}

const BUMP: &str = "UPDATE post SET views = views + 1";
const INSERT: &str = "INSERT INTO post (id, slug, title) VALUES (gen_random_uuid(), $1, 'raw')";

/// One connection, so that the next user gets the one that is looked at.
async fn world() -> World {
    World::on(
        TestDb::with(&schema(), |config| config.pool_size(1))
            .await
            .unwrap(),
    )
    .await
}

/// A transaction that has raised the views of all posts.
async fn begun(world: &World) -> Tx {
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    assert!(tx.execute_sql(BUMP, []).await.unwrap() >= 3);
    tx
}

/// How often the views were raised, and how many posts there are: of A, and of B.
async fn kept(world: &World) -> [(i64, i64); 2] {
    let mut kept = [(0, 0); 2];
    for (kept, tenant) in kept.iter_mut().zip([&world.a, &world.b]) {
        let db = world.test.as_scope(&tenant.scope);
        let row = db
            .rows("SELECT max(views)::bigint, count(*) FROM post", [])
            .await;
        let row = row.unwrap().pop().unwrap();
        *kept = (
            row.try_get_by_index(0).unwrap(),
            row.try_get_by_index(1).unwrap(),
        );
    }
    kept
}

#[tokio::test]
async fn all_is_kept_and_the_connection_is_free() {
    let world = world().await;
    let tx = begun(&world).await.committing();
    draft("orm").insert(&tx).await.unwrap();
    assert_eq!(kept(&world).await, [(1, 4), (0, 3)]);
    let tx = begun(&world).await.committing();
    assert_eq!(tx.execute_sql(INSERT, ["raw".into()]).await.unwrap(), 1);
    let tx = begun(&world).await.committing();
    let sql = "INSERT INTO post (id, slug, title) VALUES (gen_random_uuid(), 'x', 'x')";
    tx.execute_unprepared(sql).await.unwrap();
    assert_eq!(kept(&world).await, [(3, 6), (0, 3)]);
    // Its only statement, in a scope; and one that nobody has prepared.
    let tx = world.test.db().begin(&world.b.scope).await.unwrap();
    let title: String = tx
        .committing()
        .scalar(
            "UPDATE post SET views = 9 WHERE slug = 'post-0' RETURNING title",
            [],
        )
        .await
        .unwrap();
    assert_eq!(title, "b 0");
    assert_eq!(kept(&world).await, [(3, 6), (9, 3)]);
    // What was narrower and is over does not hold any more.
    let tx = begun(&world).await;
    let inner = tx.nested().unwrap();
    draft("undone").insert(&inner).await.unwrap();
    drop(inner);
    draft("done").insert(&tx.committing()).await.unwrap();
    assert_eq!(kept(&world).await, [(4, 7), (9, 3)]);
}

#[tokio::test]
async fn a_stream_carries_it_as_well() {
    let world = world().await;
    let sql = "INSERT INTO post (id, slug, title) \
               SELECT gen_random_uuid(), 'slug' || n, 'x' FROM generate_series(1, $1) n RETURNING slug";
    let tx = begun(&world).await.committing();
    let rows: Vec<_> = tx
        .stream_sql(sql, [3.into()])
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(kept(&world).await, [(1, 6), (0, 3)]);
    let failing = "SELECT 1 / (3 - n) FROM generate_series(1, 9) n";
    let tx = begun(&world).await.committing();
    let failed = match tx.stream_sql(failing, []).await {
        Ok(rows) => rows.try_collect::<Vec<_>>().await.is_err(),
        Err(_) => true,
    };
    assert!(failed);
    // Left on the way: nobody meets the rest.
    let tx = world
        .test
        .db()
        .begin(&world.a.scope)
        .await
        .unwrap()
        .committing();
    let mut rows = tx
        .stream_sql("SELECT g FROM generate_series(1, 5000) g", [])
        .await
        .unwrap();
    assert!(rows.next().await.unwrap().is_ok());
    drop(rows);
    assert_eq!(kept(&world).await, [(1, 6), (0, 3)]);
}

#[tokio::test]
async fn there_is_no_second_statement() {
    let world = world().await;
    let tx = begun(&world).await.committing();
    tx.execute_sql(INSERT, ["first".into()]).await.unwrap();
    for _ in 0..2 {
        let second = tx.execute_sql(INSERT, ["second".into()]).await;
        assert!(
            matches!(second, Err(Error::Refused(Refused::Ended))),
            "{second:?}"
        );
    }
    let orm = draft("second").insert(&tx).await.unwrap_err();
    assert_eq!(Error::kind_behind(&orm), ErrorKind::Refused);
    let streamed = tx.stream_sql("SELECT 1", []).await.map(drop);
    assert!(matches!(streamed, Err(Error::Refused(Refused::Ended))));
    assert_eq!(kept(&world).await, [(1, 4), (0, 3)]);
    // Two at once: one of them is the last.
    let tx = begun(&world).await.committing();
    let both = join(
        tx.execute_sql(INSERT, ["one".into()]),
        tx.execute_sql(INSERT, ["two".into()]),
    );
    let (one, two) = both.await;
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert_eq!(kept(&world).await, [(2, 5), (0, 3)]);
    // What is refused before it is sent was the last one too.
    for (sql, wanted) in [
        ("COMMIT", Refused::TransactionControl),
        (" ", Refused::Empty),
    ] {
        let tx = begun(&world).await.committing();
        let refused = tx.execute_sql(sql, []).await;
        assert!(matches!(refused, Err(Error::Refused(it)) if it == wanted));
        let then = tx.execute_sql(INSERT, ["then".into()]).await;
        assert!(matches!(then, Err(Error::Refused(Refused::Ended))));
        assert_eq!(kept(&world).await, [(2, 5), (0, 3)], "{sql}");
    }
}

#[tokio::test]
async fn an_error_undoes_all_of_it() {
    let world = world().await;
    for failing in [
        "SELEC 1",
        "SELECT nothing FROM post",
        "SELECT 1/0",
        "INSERT INTO post (id, slug, title) VALUES (gen_random_uuid(), 'post-0', 'x')",
        "UPDATE post SET tenant_id = gen_random_uuid()",
    ] {
        for first in [true, false] {
            let tx = if first {
                world.test.db().begin(&world.a.scope).await.unwrap()
            } else {
                begun(&world).await
            };
            let error = tx.committing().execute_sql(failing, []).await.unwrap_err();
            assert!(error.database().is_some(), "{failing}: {error:?}");
            assert_eq!(kept(&world).await, [(0, 3), (0, 3)], "{failing}");
        }
    }
    let tx = begun(&world).await.committing();
    let taken = draft("post-0").insert(&tx).await.unwrap_err();
    assert_eq!(Error::kind_behind(&taken), ErrorKind::Unique);
    // A value that cannot be read comes too late: SeaORM's own errors do as well.
    let none = post::ActiveModel {
        id: Set(Uuid::now_v7()),
        title: Set("nobody's".to_owned()),
        ..Default::default()
    };
    assert_eq!(kept(&world).await, [(0, 3), (0, 3)]);
    let missing = none.update(&begun(&world).await.committing()).await;
    assert_eq!(missing.unwrap_err(), DbErr::RecordNotUpdated);
    assert_eq!(kept(&world).await, [(1, 3), (0, 3)]);
}

#[tokio::test]
async fn a_constraint_that_fails_at_commit_is_the_error() {
    let world = world().await;
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
    let tx = begun(&world).await.committing();
    let error = tx.execute_sql(orphan, [Uuid::now_v7().into()]).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::ForeignKey);
    let tx = begun(&world).await.committing();
    let rows = tx.stream_sql(orphan, [Uuid::now_v7().into()]).await;
    let last = rows.unwrap().try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(Error::kind_behind(&last), ErrorKind::ForeignKey);
    // The orphan of an earlier statement is this commit's error as well.
    let tx = begun(&world).await;
    tx.execute_sql(orphan, [Uuid::now_v7().into()])
        .await
        .unwrap();
    let error = draft("new").insert(&tx.committing()).await.unwrap_err();
    assert_eq!(Error::kind_behind(&error), ErrorKind::ForeignKey);
    assert_eq!(kept(&world).await, [(0, 3), (0, 3)]);
    let tx = begun(&world).await.committing();
    tx.execute_sql(orphan, [world.a.posts[0].into()])
        .await
        .unwrap();
    assert_eq!(kept(&world).await, [(1, 3), (0, 3)]);
}

#[tokio::test]
async fn what_failed_before_is_not_committed() {
    let world = world().await;
    let tx = begun(&world).await;
    tx.execute_sql("SELECT 1/0", []).await.unwrap_err();
    let after = tx.committing().execute_sql(BUMP, []).await;
    assert!(matches!(after, Err(Error::Aborted)), "{after:?}");
    assert_eq!(kept(&world).await, [(0, 3), (0, 3)]);
    // Nor what failed unseen, its future dropped. Prepared before, so that one poll sends it.
    let fails = "SELECT 1 / (count(*) - $1) FROM post";
    let tx = begun(&world).await;
    let _: i64 = tx.scalar(fails, [0_i64.into()]).await.unwrap();
    let left = abandon(tx.scalar::<i64, _>(fails, [3_i64.into()]), Leaves::Polls(1));
    assert!(left.await.is_none());
    let error = tx.committing().execute_sql(BUMP, []).await.unwrap_err();
    assert_eq!(error.database().unwrap().code(), "25P02", "{error:?}");
    assert_eq!(kept(&world).await, [(0, 3), (0, 3)]);
    // The control: a dropped future that did not fail.
    let tx = begun(&world).await;
    let left = abandon(tx.scalar::<i64, _>(fails, [9_i64.into()]), Leaves::Polls(1));
    assert!(left.await.is_none());
    tx.committing().execute_sql(BUMP, []).await.unwrap();
    assert_eq!(kept(&world).await, [(2, 3), (0, 3)]);
}

#[tokio::test]
async fn a_nested_transaction_has_no_commit() {
    let world = world().await;
    let tx = begun(&world).await;
    let inner = tx.nested().unwrap();
    inner.execute_sql(BUMP, []).await.unwrap();
    let refused = inner.committing().execute_sql(BUMP, []).await;
    assert!(
        matches!(refused, Err(Error::Refused(Refused::Savepoint))),
        "{refused:?}"
    );
    let narrow = tx.narrowed(&world.a.scope).unwrap();
    let refused = narrow.committing().stream_sql("SELECT 1", []).await;
    assert!(matches!(
        refused.map(drop),
        Err(Error::Refused(Refused::Savepoint))
    ));
    // The outer one goes on, without what was done inside.
    tx.committing().execute_sql(BUMP, []).await.unwrap();
    assert_eq!(kept(&world).await, [(2, 3), (0, 3)]);
    // While one is open, the outer has no last statement.
    let tx = begun(&world).await;
    let inner = tx.nested().unwrap();
    let refused = tx.committing().execute_sql(BUMP, []).await;
    assert!(matches!(refused, Err(Error::Refused(Refused::Nested))));
    drop(inner);
    assert_eq!(kept(&world).await, [(2, 3), (0, 3)]);
}

#[tokio::test]
async fn without_its_statement_nothing_is_kept() {
    let world = world().await;
    drop(begun(&world).await.committing());
    assert_eq!(kept(&world).await, [(0, 3), (0, 3)]);
    let tx = begun(&world).await.committing();
    drop(tx.execute_sql(BUMP, []));
    drop(tx);
    assert_eq!(kept(&world).await, [(0, 3), (0, 3)]);
    // An open stream has the transaction to itself.
    let tx = begun(&world).await;
    let rows = tx
        .stream_sql("SELECT * FROM generate_series(1, 2000)", [])
        .await
        .unwrap();
    let refused = tx.committing().execute_sql(BUMP, []).await;
    assert!(matches!(refused, Err(Error::Streaming)));
    drop(rows);
    assert_eq!(kept(&world).await, [(0, 3), (0, 3)]);
}

/// More values than the protocol has numbers for: the driver sends nothing of the statement, and a
/// COMMIT behind nothing would keep what came before.
#[tokio::test]
async fn a_statement_that_cannot_be_sent_commits_nothing() {
    let configure = |config: partywall::Config| config.pool_size(1).unnamed_statements();
    let world = World::on(TestDb::with(&schema(), configure).await.unwrap()).await;
    let sql = "UPDATE post SET views = views + 1 WHERE views <> ALL ($1)";
    let many = |n: usize| vec![sea_orm::Value::from(vec![-1_i32]); n];
    let error = begun(&world).await.committing();
    let error = error.execute_sql(sql, many(70_000)).await.unwrap_err();
    assert!(error.database().is_none(), "{error:?}");
    assert_eq!(kept(&world).await, [(0, 3), (0, 3)]);
    let tx = begun(&world).await.committing();
    let streamed = tx.stream_sql(sql, many(70_000)).await.map(drop);
    assert!(streamed.unwrap_err().database().is_none());
    assert_eq!(kept(&world).await, [(0, 3), (0, 3)]);
    let tx = begun(&world).await.committing();
    assert_eq!(tx.execute_sql(sql, many(1)).await.unwrap(), 3);
    assert_eq!(kept(&world).await, [(2, 3), (0, 3)]);
}

#[tokio::test]
async fn across_and_read_only() {
    let world = world().await;
    let across = world.test.db().across("a test").await.unwrap();
    let tx = TransactionTrait::begin(&across).await.unwrap();
    let all = tx.committing().execute_sql(BUMP, []).await.unwrap();
    assert_eq!(all, 6);
    assert_eq!(kept(&world).await, [(1, 3), (1, 3)]);
    let tx = world
        .test
        .as_scope(&world.a.scope)
        .begin_with_config(None, Some(sea_orm::AccessMode::ReadOnly))
        .await
        .unwrap();
    let error = tx.committing().execute_sql(BUMP, []).await.unwrap_err();
    assert_eq!(error.database().unwrap().code(), "25006");
    // The next scope on the connection is its own.
    let tx = world.test.db().begin(&world.b.scope).await.unwrap();
    let posts = post::Entity::find().all(&tx.committing()).await.unwrap();
    assert!(posts.iter().all(|post| post.tenant_id == world.b.id) && posts.len() == 3);
}
