//! What it costs, to be looked at: `cargo test -p partywall --all-features --release --test it -- \
//! --ignored --nocapture changes::cost`.

use std::time::{Duration, Instant};

use partywall::{
    Db,
    db::{Changes, OnDrift},
    identity::{Identity, Settings},
};

use super::{people, posts, world};
use crate::{
    identity::{
        note,
        world::{permissions, token},
    },
    probe::session,
};

#[tokio::test]
#[ignore = "a measurement"]
async fn writes_with_and_without_announcements() {
    const STATES: [&str; 3] = ["unannounced", "announced", "heard"];
    let world = world().await;
    let owner = session(&world.test.owner_url()).await;
    let across = session(&world.test.url(world.test.schema().roles().across())).await;
    let insert = format!(
        "INSERT INTO post (tenant_id, id, slug, title) SELECT '{}', gen_random_uuid(), gen_random_uuid(), repeat('x', 200)",
        world.a.id
    );
    let one = across.prepare(&insert).await.unwrap();
    let bulk = format!("{insert} FROM generate_series(1, 100000)");
    for (name, statements) in [
        ("100,000 rows in a statement", 0_u32),
        ("a row each", 1_000),
    ] {
        // The quickest of several rounds, in turns: whatever else the machine does only adds.
        let mut quickest = [Duration::MAX; 3];
        for _ in 0..7 {
            for (state, quickest) in STATES.into_iter().zip(&mut quickest) {
                let able = if state == "unannounced" {
                    "DISABLE"
                } else {
                    "ENABLE"
                };
                let trigger =
                    format!("TRUNCATE post CASCADE; ALTER TABLE post {able} TRIGGER USER");
                owner.batch_execute(&trigger).await.unwrap();
                let config = world.test.config().unwrap().on_drift(OnDrift::Warn);
                let db = Db::connect(config).await.unwrap();
                let heard = match state {
                    "heard" => Some(posts(&db, &world.a.scope).await),
                    _ => None,
                };
                let began = Instant::now();
                if statements == 0 {
                    across.batch_execute(&bulk).await.unwrap();
                }
                for _ in 0..statements {
                    across.execute(&one, &[]).await.unwrap();
                }
                *quickest = (*quickest).min(began.elapsed() / statements.max(1));
                drop((heard, db));
            }
        }
        for (state, time) in STATES.into_iter().zip(quickest) {
            let ratio = time.as_secs_f64() / quickest[0].as_secs_f64();
            println!("{name}, {state}: {time:?}, {ratio:.2} ×");
        }
    }
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
#[ignore = "a measurement"]
async fn memory_of_an_open_stream() {
    const STREAMS: usize = 10_000;
    let mut world = people::world(Duration::from_secs(600)).await;
    let mut settings = Settings::new("http://127.0.0.1:8080", "notes@example.com");
    (settings.streams, settings.streams_each) = (STREAMS, STREAMS);
    settings.recheck = Duration::from_secs(600);
    world.identity = Identity::new(world.test.db().clone(), permissions(), settings);
    let bob = people::account(&world.identity, &token("bob"), world.a).await;
    let warm: Vec<Changes> = {
        let notes = bob.changes().of::<note::Entity>();
        vec![notes.subscribe().await.unwrap()]
    };
    let before = resident();
    let mut changes = Vec::with_capacity(STREAMS);
    for _ in 0..STREAMS {
        let notes = bob.changes().of::<note::Entity>();
        changes.push(notes.subscribe().await.unwrap());
    }
    let subscribed = resident();
    println!("a subscriber: {} B", (subscribed - before) * 1024 / STREAMS);
    drop(changes);
    let before = resident();
    let mut streams = Vec::with_capacity(STREAMS);
    for _ in 0..STREAMS {
        let events = bob.events("note.read").of::<note::Entity>();
        let response = axum::response::IntoResponse::into_response(events.open().await.unwrap());
        let mut body = response.into_body();
        http_body_util::BodyExt::frame(&mut body)
            .await
            .unwrap()
            .unwrap();
        // Waits for the next one, as a server does.
        streams.push(tokio::spawn(async move {
            http_body_util::BodyExt::frame(&mut body).await.is_some()
        }));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!(
        "a stream of events with its task: {} B (heap that was free before not counted)",
        (resident().saturating_sub(before)) * 1024 / STREAMS
    );
    assert_eq!(world.identity.streams_open(), STREAMS);
    let began = Instant::now();
    people::write(&world, "ann", "a").await;
    for stream in streams {
        assert!(stream.await.unwrap());
    }
    println!("all are told within {:?}", began.elapsed());
    drop(warm);
}
