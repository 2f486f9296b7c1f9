//! Who is next: tenants in turn, priorities, limits, and one job where one is enough.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use partywall::jobs::{ErrorKind, Job, JobContext, JobOptions, Worker};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::yard::{Log, Mark, Yard, enqueue};

/// Many waiting jobs of a tenant's, written past the wall.
async fn flood(yard: &Yard, tenant: Uuid, kind: &str, jobs: u32) {
    let sql = format!(
        "INSERT INTO jobs.job (id, tenant_id, kind, payload, state, priority, due_at, attempts, actor, narrowed, created_at) \
         SELECT gen_random_uuid(), '{tenant}', '{kind}', \
           jsonb_build_object('id', gen_random_uuid(), 'fails', 0), 'waiting', 5, now() - interval '1 hour', 0, \
           '{{\"as\": \"service\", \"name\": \"flood\", \"user\": null, \"subject\": null, \"address\": null}}', '{{}}', now() \
         FROM generate_series(1, {jobs})"
    );
    yard.probe.run(&sql).await;
}

#[tokio::test]
async fn a_tenant_with_very_many_jobs_does_not_keep_another_waiting() {
    let yard = Yard::new().await;
    flood(&yard, yard.world.a, "mark", 100_000).await;
    let eve = yard.eve().await;
    let mut last = Uuid::nil();
    for _ in 0..5 {
        last = enqueue(&eve, &Mark::new()).await;
    }
    let ran = Log::new();
    let log = ran.clone();
    let worker = yard
        .worker()
        .concurrency(1)
        .on(move |_: Mark, context: JobContext| {
            log.push(context.tenant().id);
            std::future::ready(Ok(()))
        });
    yard.run([worker], || yard.is(last, "done")).await;
    let ran = ran.all();
    let turns = &ran[..10];
    let (a, b) = (yard.world.a, yard.world.b);
    assert!(
        turns.chunks(2).all(|two| two == [a, b] || two == [b, a]),
        "{turns:?}"
    );
}

/// PostgreSQL, once it has counted the rows, would rather read all of them at each step.
#[tokio::test]
async fn a_hundred_thousand_jobs_are_not_all_read_to_find_ten() {
    let yard = Yard::new().await;
    flood(&yard, yard.world.a, "mark", 100_000).await;
    yard.probe.run("ANALYZE jobs.job").await;
    let claim =
        "SELECT * FROM partywall.jobs_claim('{mark}', '{10}', '{f}', 10, NULL, 60000, NULL)";
    let mut fastest = Duration::MAX;
    for n in 1..=5 {
        let since = Instant::now();
        yard.probe.client.query(claim, &[]).await.unwrap();
        fastest = fastest.min(since.elapsed());
        let running = yard.count("jobs.job WHERE state = 'running'").await;
        assert_eq!(running, 10 * n);
    }
    // It takes some milliseconds, and took seconds.
    assert!(fastest < Duration::from_millis(500), "{fastest:?}");
}

#[tokio::test]
async fn of_a_tenants_jobs_those_of_a_higher_priority_run_first() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let tx = ann.write().await.unwrap();
    for priority in [0, 7, -3, 7] {
        let options = JobOptions::new()
            .priority(priority)
            .reason(priority.to_string());
        ann.enqueue_with(&tx, &Mark::new(), options).await.unwrap();
    }
    tx.commit().await.unwrap();
    let ran = Log::new();
    let log = ran.clone();
    let worker = yard
        .worker()
        .concurrency(1)
        .on(move |_: Mark, context: JobContext| {
            log.push(context.reason().unwrap().to_owned());
            std::future::ready(Ok(()))
        });
    yard.work_off(worker).await;
    assert_eq!(ran.all(), ["7", "7", "0", "-3"]);
}

/// One of a kind at a time.
#[derive(Serialize, Deserialize)]
struct Slow {}

impl Job for Slow {
    const KIND: &'static str = "slow";
    const CONCURRENCY: usize = 1;
}

/// How many are at it now, and were at most.
#[derive(Clone, Default)]
struct Gauge(Arc<[AtomicUsize; 2]>);

impl Gauge {
    async fn work(&self) {
        let now = self.0[0].fetch_add(1, Ordering::SeqCst) + 1;
        self.0[1].fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(60)).await;
        self.0[0].fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }
}

fn gauged<J: Job>(worker: Worker, gauge: &Gauge) -> Worker {
    let gauge = gauge.clone();
    worker.on(move |_: J, _: JobContext| {
        let gauge = gauge.clone();
        async move {
            gauge.work().await;
            Ok(())
        }
    })
}

#[tokio::test]
async fn a_kind_takes_no_more_places_than_it_may_and_the_others_go_on() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    for _ in 0..4 {
        enqueue(&ann, &Slow {}).await;
        enqueue(&ann, &Mark::new()).await;
    }
    let (slow, all) = (Gauge::default(), Gauge::default());
    let worker = gauged::<Slow>(yard.worker().concurrency(4), &slow);
    yard.work_off(gauged::<Mark>(worker, &all)).await;
    assert_eq!(slow.most(), 1);
    assert!(all.most() > 1, "{}", all.most());
}

#[tokio::test]
async fn a_tenant_takes_no_more_places_than_it_may_in_all_workers_together() {
    for (limit, expected) in [(Some(1), 1), (None, 2)] {
        let yard = Yard::new().await;
        flood(&yard, yard.world.a, "mark", 12).await;
        let gauge = Gauge::default();
        let worker = || {
            let worker = yard.worker().concurrency(4);
            let worker = match limit {
                Some(limit) => worker.each_tenant(limit),
                None => worker,
            };
            gauged::<Mark>(worker, &gauge)
        };
        yard.run([worker(), worker()], || yard.is_quiet()).await;
        match limit {
            Some(_) => assert_eq!(gauge.most(), expected),
            None => assert!(gauge.most() >= expected, "{}", gauge.most()),
        }
    }
}

/// One for each note.
#[derive(Serialize, Deserialize)]
struct Index {
    note: u32,
}

impl Job for Index {
    const KIND: &'static str = "index";

    fn unique(&self) -> Option<String> {
        Some(self.note.to_string())
    }
}

#[tokio::test]
async fn an_unfinished_job_with_the_same_key_answers_for_a_new_one() {
    let yard = Yard::new().await;
    let (ann, eve) = (yard.ann().await, yard.eve().await);
    // All at once.
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let ann = ann.clone();
            tokio::spawn(async move {
                let tx = ann.write().await.unwrap();
                let enqueued = ann.enqueue(&tx, &Index { note: 1 }).await.unwrap();
                tx.commit().await.unwrap();
                enqueued
            })
        })
        .collect();
    let mut enqueued = Vec::new();
    for task in tasks {
        enqueued.push(task.await.unwrap());
    }
    assert_eq!(enqueued.iter().filter(|one| one.is_new).count(), 1);
    assert!(enqueued.iter().all(|one| one.id == enqueued[0].id));
    assert_eq!(yard.count("jobs.job").await, 1);
    // Another note's, another tenant's, and one after it is done.
    enqueue(&ann, &Index { note: 2 }).await;
    enqueue(&eve, &Index { note: 1 }).await;
    yard.work_off(yard.worker().on(|_: Index, _| async { Ok(()) }))
        .await;
    let again = enqueue(&ann, &Index { note: 1 }).await;
    assert_eq!(yard.count("jobs.job").await, 4);
    // One that was cancelled does not come back beside its successor.
    ann.job_cancel(again).await.unwrap();
    let successor = enqueue(&ann, &Index { note: 1 }).await;
    let refused = ann.job_retry(again).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
    ann.job_cancel(successor).await.unwrap();
    ann.job_retry(again).await.unwrap();
}
