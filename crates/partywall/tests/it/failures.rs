//! Failing servers, connections and pools: typed errors, no hang, and recovery.

use std::{
    future::Future,
    process::Command,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::ready};
use partywall::{
    Config, Db, Scope, Sql, TENANT,
    db::{ConnectError, Error, ErrorKind},
    testing::{TestDb, TestError},
};
use partywall_embedded::{Server, Settings};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::{
    alone::Alone,
    models::{World, post, schema},
    probe::{Found, Probe},
};

/// Nothing here may take longer, on the busiest machine.
const SOON: Duration = Duration::from_secs(8);

async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(SOON, future)
        .await
        .unwrap_or_else(|_| panic!("{what} hangs"))
}

async fn count(db: &Db, scope: &Scope) -> Result<i64, Error> {
    db.scoped(scope)
        .scalar("SELECT count(*) FROM post", [])
        .await
}

/// Tries until it works again.
async fn recovered(db: &Db, scope: &Scope, rows: i64) {
    let start = Instant::now();
    loop {
        match soon("recovery", count(db, scope)).await {
            Ok(seen) => break assert_eq!(seen, rows),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
                assert!(start.elapsed() < SOON, "no recovery: {error:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d30_server_restart_is_survived() {
    let folder = std::env::temp_dir().join(format!("pw-restart-{}", Uuid::now_v7().simple()));
    let settings = Settings::new(&folder).parameter("fsync", "off");
    let Alone { server, schema, .. } = Alone::start(&settings).await;
    let socket = server.socket_dir().to_owned();
    let config = Config::new(&schema, &server.url("blog_app", "p", "blog"))
        .unwrap()
        .connect_attempts(2)
        .acquire_timeout(Duration::from_secs(2));
    let db = Db::connect(config).await.unwrap();
    let scope = Scope::trusted([TENANT.is(Uuid::now_v7())]);
    assert_eq!(count(&db, &scope).await.unwrap(), 0);

    let tx = db.begin(&scope).await.unwrap();
    let _: i64 = tx.scalar("SELECT count(*) FROM post", []).await.unwrap();
    let unused = db.begin(&scope).await.unwrap();
    let running = tokio::spawn({
        let scoped = db.scoped(&scope);
        async move { scoped.rows("SELECT pg_sleep(30)", []).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::task::spawn_blocking(move || server.stop())
        .await
        .unwrap()
        .unwrap();
    let lost = soon("a running statement", running)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(lost, Error::Lost(_)), "{lost:?}");
    let lost = soon("an open transaction", tx.rows("SELECT 1", []))
        .await
        .unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unavailable, "{lost:?}");
    let aborted = soon("its commit", tx.commit()).await.unwrap_err();
    assert!(
        matches!(aborted.kind(), ErrorKind::Unavailable | ErrorKind::Aborted),
        "{aborted:?}"
    );
    let lost = soon("an unused one", unused.rows("SELECT 1", []))
        .await
        .unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unavailable, "{lost:?}");
    drop(unused);
    let down = soon("a statement while it is down", count(&db, &scope))
        .await
        .unwrap_err();
    assert_eq!(down.kind(), ErrorKind::Unavailable, "{down:?}");
    let listed = post::Entity::find()
        .all(&db.scoped(&scope))
        .await
        .unwrap_err();
    assert_eq!(
        Error::kind_behind(&listed),
        ErrorKind::Unavailable,
        "{listed:?}"
    );

    let server = Server::start(&settings).unwrap();
    assert_eq!(server.socket_dir(), socket);
    recovered(&db, &scope, 0).await;
    drop(server);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d30_lost_connection_is_replaced() {
    let World { test, a, .. } = World::new().await;
    let probe = Probe::new(&test).await;
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE usename = 'blog_app' AND datname = current_database()";
    // Idle ones: nobody notices but the pool, or the first statement does.
    assert!(probe.count(kill).await > 0);
    recovered(test.db(), &a.scope, 3).await;
    // Two at work.
    let scoped = test.as_scope(&a.scope);
    let running = tokio::spawn(async move { scoped.rows("SELECT pg_sleep(30)", []).await });
    let tx = test.db().begin(&a.scope).await.unwrap();
    tx.execute_sql("DELETE FROM post", []).await.unwrap();
    let rows =
        "SELECT CASE WHEN g > 9999 THEN pg_sleep(30)::text END FROM generate_series(1, 10000) g";
    let mut stream = test.as_scope(&a.scope).stream_sql(rows, []).await.unwrap();
    soon("the first row", stream.next()).await.unwrap().unwrap();
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND usename = 'blog_app' AND state <> 'idle'";
    soon("the start of three", async {
        while probe.count(busy).await < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert!(probe.count(kill).await >= 3);
    let lost = soon("a running statement", running)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(lost, Error::Lost(_)), "{lost:?}");
    let lost = soon(
        "a stream",
        stream.by_ref().filter_map(|row| ready(row.err())).next(),
    )
    .await
    .unwrap();
    assert_eq!(
        Error::kind_behind(&lost),
        ErrorKind::Unavailable,
        "{lost:?}"
    );
    drop(stream);
    let lost = soon("a commit", tx.commit()).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unavailable, "{lost:?}");
    recovered(test.db(), &a.scope, 3).await;
    assert_eq!(Found::by(test.db(), a.id).await.unwrap().posts, [(a.id, 3)]);
}

#[tokio::test]
async fn d30_exhausted_pool_says_so_in_time() {
    let limit = Duration::from_millis(200);
    let one = |config: Config| config.pool_size(1).acquire_timeout(limit);
    let World { test, a, .. } = World::on(TestDb::with(&schema(), one).await.unwrap()).await;
    let tx = test.db().begin(&a.scope).await.unwrap();
    let start = Instant::now();
    let error = soon("a statement", count(test.db(), &a.scope))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::PoolExhausted(waited) if waited == limit),
        "{error:?}"
    );
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(start.elapsed() >= limit);
    let error = soon("a transaction", test.db().begin(&a.scope))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::PoolExhausted(_)), "{error:?}");
    let listed = post::Entity::find()
        .all(&test.as_scope(&a.scope))
        .await
        .unwrap_err();
    assert_eq!(
        Error::kind_behind(&listed),
        ErrorKind::Unavailable,
        "{listed:?}"
    );
    // The control: given back, it works.
    drop(tx);
    assert_eq!(count(test.db(), &a.scope).await.unwrap(), 3);
}

#[tokio::test]
async fn d30_unreachable_server_is_an_error_in_time() {
    let schema = schema();
    let connect = async |url: &str| {
        let config = Config::new(&schema, url)
            .unwrap()
            .connect_timeout(Duration::from_millis(200))
            .connect_attempts(2);
        match soon(url, Db::connect(config)).await {
            Err(ConnectError::Database(error)) => error,
            other => panic!("{url}: {other:?}"),
        }
    };
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    for url in [
        "postgresql://blog_app:p@%2Fnowhere/blog".to_owned(),
        "postgresql://blog_app:p@127.0.0.1:1/blog".to_owned(),
        format!("postgresql://blog_app:p@127.0.0.1:{port}/blog"),
    ] {
        let error = connect(&url).await;
        assert!(matches!(error, Error::Connect(_)), "{url}: {error:?}");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(!format!("{error}").contains(":p@"), "{error}");
    }
    // A wrong password or database does not pass with time, so it is not tried again.
    let test = TestDb::new(&schema).await.unwrap();
    let url = test.url("blog_app");
    for wrong in [
        url.replace("blog_app:", "blog_app:wrong"),
        url.replace("/test_", "/toast_"),
    ] {
        assert_ne!(wrong, url);
        let error = connect(&wrong).await;
        assert!(matches!(error, Error::Connect(_)), "{error:?}");
    }
    // The control.
    Db::connect(Config::new(&schema, &url).unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn d30_statement_that_takes_too_long_is_stopped() {
    let hasty = |config: Config| {
        config
            .statement_timeout(Some(Duration::from_millis(150)))
            .pool_size(1)
    };
    let test: Result<TestDb, TestError> = TestDb::with(&schema(), hasty).await;
    let World { test, a, .. } = World::on(test.unwrap()).await;
    let scoped = test.as_scope(&a.scope);
    let slow = "INSERT INTO post (id, slug, title) \
                SELECT gen_random_uuid(), 'slow', pg_sleep(30)::text";
    let error = soon("a statement", scoped.execute_sql(slow, []))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Timeout), "{error:?}");
    let tx = test.db().begin(&a.scope).await.unwrap();
    let error = soon("in a transaction", tx.execute_sql(slow, []))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    let error = soon("its commit", tx.commit()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted, "{error:?}");
    let mut rows = scoped
        .stream_sql("SELECT 1, pg_sleep(30)", [])
        .await
        .unwrap();
    let error = soon("a stream", rows.next()).await.unwrap().unwrap_err();
    assert_eq!(Error::kind_behind(&error), ErrorKind::Timeout, "{error:?}");
    drop(rows);
    assert_eq!(count(test.db(), &a.scope).await.unwrap(), 3);
    // The control: without a limit it may take its time.
    let config = test.config().unwrap().statement_timeout(None);
    let patient = Db::connect(config).await.unwrap();
    let sleep = "SELECT pg_sleep(0.3)::text";
    let slept: String = patient.scoped(&a.scope).scalar(sleep, []).await.unwrap();
    assert_eq!(slept, "");
}

/// A server that neither answers nor hangs up: its process is held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d30_silent_server_is_given_up_in_time() {
    let hasty = |config: Config| {
        config
            .statement_timeout(Some(Duration::from_millis(150)))
            .pool_size(1)
    };
    let World { test, a, .. } = World::on(TestDb::with(&schema(), hasty).await.unwrap()).await;
    let signal = |name: &str, pid: i32| {
        let done = Command::new("/bin/sh")
            .args([
                "-c",
                "kill -s \"$1\" \"$2\"",
                "kill",
                name,
                &pid.to_string(),
            ])
            .status();
        assert!(done.unwrap().success());
    };
    for (n, way) in ["a statement", "a new statement", "a stream", "a commit"]
        .into_iter()
        .enumerate()
    {
        let tx = test.db().begin(&a.scope).await.unwrap();
        let pid: i32 = tx.scalar("SELECT pg_backend_pid()", []).await.unwrap();
        signal("STOP", pid);
        let error = match way {
            "a statement" => {
                let known = soon(way, tx.rows("SELECT pg_backend_pid()", [])).await;
                drop(tx);
                known.unwrap_err()
            }
            "a new statement" => {
                let new = soon(way, tx.rows(&format!("SELECT {n}"), [])).await;
                drop(tx);
                new.unwrap_err()
            }
            "a stream" => {
                let stream = soon(way, tx.stream_sql("SELECT pg_backend_pid()", [])).await;
                drop(tx);
                stream.unwrap_err()
            }
            _ => soon(way, tx.commit()).await.unwrap_err(),
        };
        // Nobody knows what became of it.
        assert!(matches!(error, Error::Unanswered), "{way}: {error:?}");
        signal("CONT", pid);
        recovered(test.db(), &a.scope, 3).await;
    }
}
