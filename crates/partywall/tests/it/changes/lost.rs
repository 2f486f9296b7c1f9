//! What is missed is said to be missed.

use std::time::{Duration, Instant};

use partywall::{
    Config, Db, Sql,
    db::{Change, ConnectError, Error, NoLogin},
    testing::TestDb,
};

use super::{next, nothing_but_a_marker, post, posts, schema_of, world};
use crate::{
    bouncer::Bouncer,
    models::{World, seal},
    probe::Probe,
};

/// The sessions that listen, as a superuser sees them.
const LISTENERS: &str = "FROM pg_stat_activity WHERE datname = current_database() \
     AND query IN ('SELECT partywall.listen()', 'SELECT partywall.listening()')";

async fn listeners(probe: &Probe) -> i64 {
    probe.count(&format!("SELECT count(*) {LISTENERS}")).await
}

#[tokio::test]
async fn a_connection_that_was_lost_is_found_again_and_everybody_resyncs() {
    let world = world().await;
    let db = world.test.db();
    let mut of_a = posts(db, &world.a.scope).await;
    let mut of_b = posts(db, &world.b.scope).await;
    let probe = Probe::new(&world.test).await;
    for _ in 0..3 {
        let ended = probe
            .count(&format!(
                "SELECT count(pg_terminate_backend(pid)) {LISTENERS}"
            ))
            .await;
        assert_eq!(ended, 1);
        for (heard, tenant) in [(&mut of_a, &world.a), (&mut of_b, &world.b)] {
            assert_eq!(next(heard).await, Change::Resync);
            nothing_but_a_marker(heard, db, &tenant.scope).await;
        }
    }
}

#[tokio::test]
async fn whoever_is_slow_is_told_to_resync_and_costs_nobody_else_anything() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut slow = posts(db, a).await;
    let mut quick = posts(db, a).await;
    let mut other = posts(db, &world.b.scope).await;
    for n in 0..200 {
        let new = post(db, a, &format!("many {n}")).await;
        assert_eq!(super::id(&mut quick).await.1, new);
    }
    assert_eq!(next(&mut slow).await, Change::Resync);
    // What still waits is told, in order, and then it is up to date again.
    for _ in 0..64 {
        assert!(matches!(next(&mut slow).await, Change::Row(_)));
    }
    nothing_but_a_marker(&mut slow, db, a).await;
    nothing_but_a_marker(&mut other, db, &world.b.scope).await;
}

#[tokio::test]
async fn one_connection_serves_all_and_goes_with_the_last_who_needs_it() {
    let world = world().await;
    let probe = Probe::new(&world.test).await;
    let db = Db::connect(world.test.config().unwrap()).await.unwrap();
    assert_eq!(listeners(&probe).await, 0);
    let mut all = Vec::new();
    for _ in 0..50 {
        all.push(posts(&db, &world.a.scope).await);
        all.push(posts(&db, &world.b.scope).await);
    }
    assert_eq!(listeners(&probe).await, 1);
    let mut last = all.pop().unwrap();
    drop((all, db));
    nothing_but_a_marker(&mut last, world.test.db(), &world.b.scope).await;
    assert_eq!(listeners(&probe).await, 1);
    drop(last);
    let deadline = Instant::now() + Duration::from_secs(10);
    while listeners(&probe).await > 0 {
        assert!(Instant::now() < deadline, "it listens for nobody");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn without_a_login_that_may_listen_it_is_said_which_is_missing() {
    let world = world().await;
    let test = &world.test;
    let roles = test.schema().roles();
    let config = Config::new(test.schema(), &test.url(roles.app())).unwrap();
    let db = Db::connect(config.clone()).await.unwrap();
    let posts = db
        .changes(&world.a.scope)
        .of::<crate::models::post::Entity>();
    let error = posts.subscribe().await.unwrap_err();
    assert!(
        matches!(error, Error::NoLogin(NoLogin::Listen)),
        "{error:?}"
    );
    // The application's login is the wrong one, and that is found at start.
    let wrong = config.listen_url(&test.url(roles.app())).unwrap();
    let error = Db::connect(wrong).await.unwrap_err();
    let ConnectError::WrongLogin { wanted, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(wanted, roles.across());
}

#[tokio::test]
async fn a_database_that_is_away_is_an_error_and_not_silence() {
    let world = world().await;
    let config = world.test.config().unwrap();
    let config = config.connect_timeout(Duration::from_millis(500));
    let db = Db::connect(config).await.unwrap();
    let across = world.test.schema().roles().across().to_owned();
    let probe = Probe::new(&world.test).await;
    let database: String = probe
        .client
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    let revoke = format!("REVOKE CONNECT ON DATABASE {database} FROM {across}");
    probe.run(&revoke).await;
    let posts = || {
        db.changes(&world.a.scope)
            .of::<crate::models::post::Entity>()
    };
    let error = posts().subscribe().await.unwrap_err();
    assert!(matches!(error, Error::Connect(_)), "{error:?}");
    probe
        .run(&revoke.replace("REVOKE", "GRANT").replace("FROM", "TO"))
        .await;
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut heard = loop {
        match posts().subscribe().await {
            Ok(heard) => break heard,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    };
    nothing_but_a_marker(&mut heard, &db, &world.a.scope).await;
}

/// Behind a pooler all work goes through it, and one connection around it hears.
#[tokio::test]
async fn behind_a_pooler_the_server_itself_is_listened_to() {
    let test = TestDb::new(&schema_of("herald", seal())).await.unwrap();
    let world = World::on(test).await;
    let test = &world.test;
    let bouncer = Bouncer::start(test).await;
    let roles = test.schema().roles();
    let config = Config::new(test.schema(), &bouncer.url(roles.app()))
        .and_then(|config| config.list_login(&bouncer.url(roles.list())))
        .and_then(|config| config.across_login(&bouncer.url(roles.across())))
        .and_then(|config| config.listen_url(&test.url(roles.across())))
        .unwrap()
        .unnamed_statements();
    let db = Db::connect(config).await.unwrap();
    let mut heard = posts(&db, &world.a.scope).await;
    for _ in 0..3 {
        nothing_but_a_marker(&mut heard, &db, &world.a.scope).await;
        db.scoped(&world.b.scope)
            .execute_sql("UPDATE post SET title = 'b'", [])
            .await
            .unwrap();
    }
}
