//! Many tasks, few connections.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::StreamExt;
use partywall::{
    Scope, Sql,
    scope::{ScopeErrorKind, carry},
    testing::TestDb,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, PaginatorTrait};
use uuid::Uuid;

use crate::{
    models::{Tenant, World, comment, post, schema},
    probe::{Dice, Found, Probe},
};

/// One piece of work, in one of the ways there are to do it. It sees its own rows and no others.
async fn work(test: &TestDb, own: &Tenant, dice: &mut Dice) {
    let scoped = test.as_scope(&own.scope);
    match dice.below(7) {
        0 => {
            let seen = post::Entity::find().all(&scoped).await.unwrap();
            assert_eq!(seen.len(), 3);
            assert!(seen.iter().all(|post| post.tenant_id == own.id));
        }
        1 => {
            let foreign = "SELECT count(*) FROM post WHERE tenant_id <> $1";
            let foreign: i64 = scoped.scalar(foreign, [own.id.into()]).await.unwrap();
            assert_eq!(foreign, 0);
        }
        2 => {
            let tx = test.db().begin(&own.scope).await.unwrap();
            let made = post::ActiveModel {
                id: Set(Uuid::now_v7()),
                slug: Set(Uuid::now_v7().to_string()),
                title: Set("made".to_owned()),
                ..Default::default()
            };
            assert_eq!(made.insert(&tx).await.unwrap().tenant_id, own.id);
            assert_eq!(post::Entity::find().count(&tx).await.unwrap(), 4);
            tx.rollback().await.unwrap();
        }
        3 => {
            let mut rows = scoped
                .stream_sql("SELECT tenant_id FROM post", [])
                .await
                .unwrap();
            let mut seen = 0;
            while let Some(row) = rows.next().await {
                assert_eq!(row.unwrap().try_get_by_index::<Uuid>(0).unwrap(), own.id);
                seen += 1;
            }
            assert_eq!(seen, 3);
        }
        4 => {
            let seen = comment::Entity::find()
                .find_also_related(post::Entity)
                .all(&scoped)
                .await
                .unwrap();
            assert_eq!(seen.len(), 2);
            for (comment, post) in seen {
                assert!(own.comments.contains(&comment.id));
                assert_eq!(post.unwrap().tenant_id, own.id);
            }
        }
        5 => {
            // The ambient scope goes where the task goes, over threads and awaits.
            let ambient = async {
                tokio::task::yield_now().await;
                let ambient = test.db().ambient().unwrap();
                let seen = ambient
                    .rows("SELECT tenant_id FROM post", [])
                    .await
                    .unwrap();
                tokio::task::yield_now().await;
                assert_eq!(Scope::current().unwrap(), own.scope);
                seen
            };
            let seen = own.scope.enter(ambient).await.unwrap();
            assert_eq!(seen.len(), 3);
            assert!(
                seen.iter()
                    .all(|row| row.try_get_by_index::<Uuid>(0).unwrap() == own.id)
            );
        }
        _ => {
            // Dropped on the way, so that the next user of the connection comes after a clean-up.
            let dropped = scoped.rows("SELECT * FROM post, pg_sleep(0.000_1)", []);
            let _ = tokio::time::timeout(std::time::Duration::from_micros(200), dropped).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d23_ten_thousand_interleavings() {
    const TASKS: usize = 20;
    const EACH: usize = 500;
    let small = |config: partywall::Config| {
        config
            .pool_size(3)
            .acquire_timeout(std::time::Duration::from_secs(60))
    };
    let world = Arc::new(World::on(TestDb::with(&schema(), small).await.unwrap()).await);
    let done = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|n| {
            let (world, done) = (world.clone(), done.clone());
            tokio::spawn(async move {
                let mut dice = Dice::new(0x23_0000 + u64::try_from(n).unwrap());
                for _ in 0..EACH {
                    let own = if dice.one_in(2) { &world.a } else { &world.b };
                    work(&world.test, own, &mut dice).await;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(done.load(Ordering::Relaxed), TASKS * EACH);
    Probe::new(&world.test)
        .await
        .settled("after all tasks")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d24_spawned_task_has_no_scope_unless_carried() {
    let World { test, a, b } = World::new().await;
    let test = Arc::new(test);
    let count = |test: Arc<TestDb>| async move {
        let ambient = test.db().ambient()?;
        Ok::<_, partywall::scope::ScopeError>(post::Entity::find().count(&ambient).await.unwrap())
    };
    // The control: in the task itself there is one.
    assert_eq!(
        a.scope.enter(count(test.clone())).await.unwrap().unwrap(),
        3
    );
    let bare = a
        .scope
        .enter(async { tokio::spawn(count(test.clone())).await.unwrap() });
    assert_eq!(
        bare.await.unwrap().unwrap_err().kind(),
        ScopeErrorKind::Unset
    );
    let carried = a.scope.enter(async {
        let task = tokio::spawn(carry(count(test.clone())).unwrap());
        task.await.unwrap()
    });
    assert_eq!(carried.await.unwrap().unwrap(), 3);
    // What was carried is one tenant's, and outlives the task it came from.
    let task = a
        .scope
        .enter(async {
            let test = test.clone();
            tokio::spawn(
                carry(async move {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    let rows = test.db().ambient().unwrap();
                    rows.rows("SELECT tenant_id FROM post", []).await.unwrap()
                })
                .unwrap(),
            )
        })
        .await
        .unwrap();
    let meanwhile = b.scope.enter(count(test.clone())).await.unwrap().unwrap();
    assert_eq!(meanwhile, 3);
    let rows = task.await.unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!(row.try_get_by_index::<Uuid>(0).unwrap(), a.id);
    }
    // And there is nothing to carry where there is no scope.
    let nothing = carry(async {}).map(drop).unwrap_err();
    assert_eq!(nothing.kind(), ScopeErrorKind::Unset);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d26_stream_keeps_its_scope_to_the_end() {
    let World { test, a, b } = World::on(
        TestDb::with(&schema(), |config| config.pool_size(2))
            .await
            .unwrap(),
    )
    .await;
    let _probe = Probe::new(&test).await;
    // More than a socket's buffers hold, so that the server is still at it while others work.
    let many = "SELECT p.tenant_id, repeat('x', 1000) FROM post p, generate_series(1, 3000)";
    let mut rows = test.as_scope(&a.scope).stream_sql(many, []).await.unwrap();
    let mut seen = 0;
    while let Some(row) = rows.next().await {
        assert_eq!(row.unwrap().try_get_by_index::<Uuid>(0).unwrap(), a.id);
        seen += 1;
        if seen % 500 == 0 {
            // Opened in A, read to its end in B's scope: it stays A's, and colours nothing.
            let found = b
                .scope
                .enter(Found::by(test.db(), b.id))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(found.posts, [(b.id, 3)]);
        }
    }
    assert_eq!(seen, 9_000);
    // A stream in a transaction has the transaction's connection to itself.
    let tx = test.db().begin(&a.scope).await.unwrap();
    let mut rows = tx.stream_sql(many, []).await.unwrap();
    rows.next().await.unwrap().unwrap();
    let error = tx.rows("SELECT 1", []).await.unwrap_err();
    assert!(
        matches!(error, partywall::db::Error::Streaming),
        "{error:?}"
    );
    drop(rows);
    let own: i64 = tx.scalar("SELECT count(*) FROM post", []).await.unwrap();
    assert_eq!(own, 3);
    // Read by another task, in another scope.
    let rows = tx
        .stream_sql("SELECT tenant_id FROM post", [])
        .await
        .unwrap();
    let read = b
        .scope
        .enter(rows.map(|row| row.unwrap()).collect::<Vec<_>>());
    let read = read.await.unwrap();
    assert_eq!(read.len(), 3);
    for row in read {
        assert_eq!(row.try_get_by_index::<Uuid>(0).unwrap(), a.id);
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn d27_one_connection_serves_one_after_another() {
    let one = |config: partywall::Config| config.pool_size(1);
    let World { test, a, b } = World::on(TestDb::with(&schema(), one).await.unwrap()).await;
    let _probe = Probe::new(&test).await;
    let mut pids = Vec::new();
    for tenant in [&a, &b, &a] {
        let scoped = test.as_scope(&tenant.scope);
        pids.push(
            scoped
                .scalar::<i32, _>("SELECT pg_backend_pid()", [])
                .await
                .unwrap(),
        );
        let seen = post::Entity::find().all(&scoped).await.unwrap();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|post| post.tenant_id == tenant.id));
    }
    // A scope without the tenant, on the same connection: an error that names it.
    let nobody = test.as_scope(&Scope::trusted([]));
    let error = nobody.rows("SELECT * FROM post", []).await.unwrap_err();
    assert!(error.to_string().contains("`tenant`"), "{error}");
    pids.push(
        nobody
            .scalar::<i32, _>("SELECT pg_backend_pid()", [])
            .await
            .unwrap(),
    );
    assert!(
        pids.iter().all(|pid| *pid == pids[0]),
        "one connection served all: {pids:?}"
    );
    assert_eq!(Found::by(test.db(), b.id).await.unwrap().posts, [(b.id, 3)]);
}
