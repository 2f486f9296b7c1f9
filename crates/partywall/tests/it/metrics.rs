//! What the metrics are told, and what they are not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use partywall::{
    Config, Scope, Sql, TENANT,
    db::{Closed, Event, Metrics, TextLimits},
    testing::TestDb,
};

use crate::{
    models::{World, schema},
    probe::{Leaves, abandon},
};

/// An event, without its times.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Acquired(String),
    Statement(String, Option<u64>),
    Closed(String, Closed),
    Across(String, u32),
}

#[derive(Clone, Debug, Default)]
struct Recorder {
    seen: Arc<Mutex<Vec<Seen>>>,
    /// All that the events hold.
    text: Arc<Mutex<String>>,
}

impl Metrics for Recorder {
    fn record(&self, event: Event<'_>) {
        self.text.lock().unwrap().push_str(&format!("{event:?}\n"));
        let seen = match event {
            Event::Acquired { login, .. } => Seen::Acquired(login.to_owned()),
            Event::Statement { login, rows, .. } => Seen::Statement(login.to_owned(), rows),
            Event::Closed { login, because } => Seen::Closed(login.to_owned(), because),
            Event::Across { file, line } => Seen::Across(file.to_owned(), line),
            _ => panic!("{event:?}"),
        };
        self.seen.lock().unwrap().push(seen);
    }
}

impl Recorder {
    /// What was seen since the last look.
    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    async fn until(&self, wanted: &Seen) {
        let waiting = async {
            while !self.seen.lock().unwrap().contains(wanted) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(8), waiting)
            .await
            .unwrap_or_else(|_| panic!("{wanted:?} is not among {:?}", self.take()));
    }
}

async fn recorded() -> (World, Recorder) {
    let recorder = Recorder::default();
    let configure = |config: Config| config.pool_size(1).metrics(recorder.clone());
    let world = World::on(TestDb::with(&schema(), configure).await.unwrap()).await;
    assert!(!recorder.take().is_empty());
    (world, recorder)
}

fn acquired() -> Seen {
    Seen::Acquired("blog_app".to_owned())
}

fn statement(rows: impl Into<Option<u64>>) -> Seen {
    Seen::Statement("blog_app".to_owned(), rows.into())
}

#[tokio::test]
async fn a_statement_is_told_with_its_rows() {
    let (world, recorder) = recorded().await;
    let scoped = world.test.as_scope(&world.a.scope);
    scoped.rows("SELECT * FROM post", []).await.unwrap();
    assert_eq!(recorder.take(), [acquired(), statement(3)]);
    scoped
        .execute_sql("UPDATE tag SET label = label || '!'", [])
        .await
        .unwrap();
    assert_eq!(recorder.take(), [acquired(), statement(2)]);
    scoped.rows("SELECT 1 / 0", []).await.unwrap_err();
    assert_eq!(recorder.take(), [acquired(), statement(None)]);
    scoped
        .rows("SELECT FROM nothing_such", [])
        .await
        .unwrap_err();
    assert_eq!(recorder.take(), [acquired(), statement(None)]);

    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    assert_eq!(recorder.take(), [acquired()]);
    tx.rows("SELECT * FROM comment", []).await.unwrap();
    tx.execute_sql("DELETE FROM comment", []).await.unwrap();
    tx.rows("SELECT 1 / 0", []).await.unwrap_err();
    tx.rollback().await.unwrap();
    assert_eq!(
        recorder.take(),
        [statement(2), statement(2), statement(None)]
    );

    let limits = TextLimits {
        rows: 10,
        bytes: 10_000,
    };
    scoped.text("SELECT * FROM post", limits).await.unwrap();
    let dirty = Seen::Closed("blog_app".to_owned(), Closed::Dirty);
    let told = recorder.take();
    assert_eq!(told[0], acquired());
    assert!(
        told.contains(&statement(3)) && told.contains(&dirty),
        "{told:?}"
    );
    scoped
        .text("UPDATE post SET views = 1", limits)
        .await
        .unwrap();
    assert!(recorder.take().contains(&statement(3)));
    scoped.text("SELECT 1 / 0", limits).await.unwrap_err();
    assert!(recorder.take().contains(&statement(None)));

    let both = Scope::trusted([TENANT.any_of([world.a.id, world.b.id])]);
    let listed = world.test.as_scope(&both);
    listed.rows("SELECT * FROM post", []).await.unwrap();
    assert_eq!(
        recorder.take(),
        [
            Seen::Acquired("blog_list".to_owned()),
            Seen::Statement("blog_list".to_owned(), Some(6))
        ]
    );
}

#[tokio::test]
async fn a_stream_and_a_copy_are_told_at_their_end() {
    let (world, recorder) = recorded().await;
    let scoped = world.test.as_scope(&world.a.scope);
    let many = "SELECT n FROM generate_series(1, 9) n";
    let mut rows = scoped.stream_sql(many, []).await.unwrap();
    rows.next().await.unwrap().unwrap();
    assert_eq!(recorder.take(), [acquired()]);
    while rows.next().await.is_some() {}
    assert_eq!(recorder.take(), [statement(9)]);
    drop(rows);
    // Dropped on the way: what was handed out until then.
    let mut rows = scoped.stream_sql(many, []).await.unwrap();
    for _ in 0..2 {
        rows.next().await.unwrap().unwrap();
    }
    drop(rows);
    assert_eq!(recorder.take(), [acquired(), statement(2)]);
    // Failed on the way, and at once.
    let mut rows = scoped
        .stream_sql("SELECT 1 / (5 - n) FROM generate_series(1, 9) n", [])
        .await
        .unwrap();
    while rows.next().await.unwrap().is_ok() {}
    drop(rows);
    let failed = scoped.stream_sql("SELECT FROM nothing_such", []).await;
    assert!(failed.is_err());
    assert_eq!(
        recorder.take(),
        [acquired(), statement(None), acquired(), statement(None)]
    );

    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    let rows = tx.stream_sql("SELECT * FROM post", []).await.unwrap();
    assert_eq!(rows.count().await, 3);
    let lines = tx.copy_out("COPY post TO STDOUT").await.unwrap();
    assert_eq!(lines.count().await, 3);
    assert_eq!(recorder.take(), [acquired(), statement(3), statement(3)]);
    assert!(tx.copy_out("COPY nothing_such TO STDOUT").await.is_err());
    assert_eq!(recorder.take(), [statement(None)]);
}

#[tokio::test]
async fn a_closed_connection_is_told_with_the_reason() {
    let (world, recorder) = recorded().await;
    let scoped = world.test.as_scope(&world.a.scope);
    let closed = |because| Seen::Closed("blog_app".to_owned(), because);
    scoped.rows("SELECT 1", []).await.unwrap();
    assert_eq!(recorder.take(), [acquired(), statement(1)]);
    scoped.rows("SELECT pg_advisory_lock(5)", []).await.unwrap();
    assert_eq!(
        recorder.take(),
        [acquired(), statement(1), closed(Closed::Dirty)]
    );
    // Prepared before, so that what is dropped is the statement itself.
    let sleep = "SELECT pg_sleep($1)";
    scoped.rows(sleep, [0.0.into()]).await.unwrap();
    assert_eq!(recorder.take(), [acquired(), statement(1)]);
    let asleep = scoped.rows(sleep, [30.0.into()]);
    tokio::time::timeout(Duration::from_millis(50), asleep)
        .await
        .unwrap_err();
    let abandoned = closed(Closed::Abandoned);
    recorder.until(&abandoned).await;
    assert_eq!(recorder.take(), [acquired(), statement(None), abandoned]);
    // A short one is only waited for. The first poll sends it, once it is prepared.
    scoped.rows(sleep, [0.0.into()]).await.unwrap();
    assert_eq!(recorder.take(), [acquired(), statement(1)]);
    let asleep = scoped.rows(sleep, [0.02.into()]);
    assert!(abandon(asleep, Leaves::Polls(1)).await.is_none());
    scoped.rows("SELECT 1", []).await.unwrap();
    assert_eq!(
        recorder.take(),
        [acquired(), statement(None), acquired(), statement(1)]
    );
}

#[tokio::test]
async fn the_way_across_is_told_with_its_place() {
    let (world, recorder) = recorded().await;
    let (across, line) = (world.test.db().across("a count of all").await, line!());
    let across = across.unwrap();
    let place = Seen::Across(file!().to_owned(), line);
    let told = recorder.take();
    assert_eq!(told.last(), Some(&place), "{told:?}");
    assert_eq!(told[0], Seen::Acquired("blog_across".to_owned()));
    across.rows("SELECT * FROM post", []).await.unwrap();
    let read = Seen::Statement("blog_across".to_owned(), Some(6));
    assert_eq!(recorder.take().last(), Some(&read));
    assert!(world.test.db().across(" ").await.is_err());
    assert_eq!(recorder.take(), []);
}

#[tokio::test]
async fn no_event_holds_a_value_or_a_tenant() {
    let (world, recorder) = recorded().await;
    let secret = "keep-this-to-yourself";
    let scoped = world.test.as_scope(&world.a.scope);
    let insert = "INSERT INTO post (id, slug, title) VALUES (gen_random_uuid(), $1, $1)";
    scoped.execute_sql(insert, [secret.into()]).await.unwrap();
    scoped
        .execute_sql(insert, [secret.into()])
        .await
        .unwrap_err();
    let across = world.test.db().across("a look at both").await.unwrap();
    across.rows("SELECT * FROM post", []).await.unwrap();
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    let rows = tx.stream_sql("SELECT * FROM post", []).await.unwrap();
    assert_eq!(rows.count().await, 4);
    let lines = tx.copy_out("COPY post TO STDOUT").await.unwrap();
    let lines: Vec<_> = lines.map(|line| line.unwrap()).collect().await;
    drop(tx);
    // It did go there and back.
    let lines = String::from_utf8(lines.concat()).unwrap();
    assert!(lines.contains(secret) && lines.contains(&world.a.id.to_string()));
    let text = recorder.text.lock().unwrap();
    for event in ["Acquired", "Statement", "Across", "blog_app"] {
        assert!(text.contains(event), "{text}");
    }
    for hidden in [secret, &world.a.id.to_string(), &world.b.id.to_string()] {
        assert!(!text.contains(hidden), "{text}");
    }
}
