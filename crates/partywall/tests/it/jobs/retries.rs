//! What becomes of a job that fails.

use std::time::Duration;

use chrono::Utc;
use partywall::{
    Sql,
    jobs::{Error, Failure, Job, JobContext, JobOptions, JobQuery, JobState},
};
use sea_orm::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::yard::{Log, Mark, Yard, enqueue, mark, wait};

#[tokio::test]
async fn a_job_that_fails_is_tried_again_and_then_kept_with_its_last_error() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let (once, ever) = (Mark::failing(1), Mark::failing(9));
    let (good, bad) = (enqueue(&ann, &once).await, enqueue(&ann, &ever).await);
    yard.work_off(yard.marker()).await;
    assert_eq!(yard.state(good).await, ("done".to_owned(), 2, None));
    let not_yet = Some("not yet".to_owned());
    assert_eq!(
        yard.state(bad).await,
        ("dead".to_owned(), 3, not_yet.clone())
    );
    let query = JobQuery {
        state: Some(JobState::Dead),
        ..JobQuery::default()
    };
    let dead = ann.job_list(&query).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].id, dead[0].attempts), (bad, 3));
    assert_eq!(dead[0].error, not_yet);
    assert!(dead[0].ended_at.is_some());
    // Somebody has mended what was wrong, and has it tried again.
    ann.job_retry(bad).await.unwrap();
    assert!(matches!(ann.job_retry(bad).await, Err(Error::NotFound)));
    let mended = yard
        .worker()
        .on(|job: Mark, context: JobContext| async move {
            mark(&context, job.id).await?;
            Ok(())
        });
    yard.work_off(mended).await;
    assert_eq!(yard.state(bad).await, ("done".to_owned(), 1, None));
    assert_eq!(yard.tenant_of(ever.id).await, Some(yard.world.a));
}

#[tokio::test]
async fn fields_that_cannot_be_read_end_a_job_and_hold_up_no_other() {
    let yard = Yard::new().await;
    // As an earlier release had written it, before everything else that waits.
    let poison = Uuid::now_v7();
    let sql = "INSERT INTO jobs.job (id, kind, payload, state, priority, due_at, attempts, actor, \
               narrowed, created_at) VALUES ($1, 'mark', $2, 'waiting', 100, now(), 0, $3, '{}', now())";
    let actor = serde_json::json!({"as": "service", "name": "x", "user": null, "subject": null, "address": null});
    let fields = serde_json::json!({"id": 7});
    let values: [Value; 3] = [poison.into(), fields.into(), actor.into()];
    let db = yard.world.test.as_tenant(yard.world.a);
    db.execute_sql(sql, values).await.unwrap();
    let broken = Uuid::now_v7();
    let fields = serde_json::to_value(Mark::new()).unwrap();
    let values: [Value; 3] = [broken.into(), fields.into(), serde_json::json!("me").into()];
    db.execute_sql(sql, values).await.unwrap();
    let good = enqueue(&yard.ann().await, &Mark::new()).await;
    yard.work_off(yard.marker().concurrency(1)).await;
    let (state, attempts, error) = yard.state(poison).await;
    assert_eq!((state.as_str(), attempts), ("dead", 1));
    let error = error.unwrap();
    assert!(
        error.starts_with("the fields cannot be read: invalid type"),
        "{error}"
    );
    let (state, _, error) = yard.state(broken).await;
    assert_eq!(state, "dead");
    assert_eq!(error.as_deref(), Some("the job's `actor` cannot be read"));
    assert!(yard.is(good, "done").await);
}

/// Ends as it is told.
#[derive(Serialize, Deserialize)]
struct Ends {
    how: String,
}

impl Job for Ends {
    const KIND: &'static str = "ends";
    const ATTEMPTS: u32 = 2;
    const TIMEOUT: Duration = Duration::from_millis(200);

    fn backoff(_: u32) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn a_panic_a_time_limit_and_a_final_error_are_told_apart() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let mut jobs = Vec::new();
    for how in ["panics", "hangs", "fatal", "later", "well"] {
        jobs.push(
            enqueue(
                &ann,
                &Ends {
                    how: how.to_owned(),
                },
            )
            .await,
        );
    }
    let waited = Log::new();
    let log = waited.clone();
    let worker = yard.worker().on(move |job: Ends, context: JobContext| {
        let log = log.clone();
        // A panic before there is a future is one as well.
        assert!(job.how != "panics" || context.attempt() > 1, "at once");
        async move {
            match job.how.as_str() {
                "panics" => panic!("at the {}", "disco"),
                "hangs" => std::future::pending().await,
                "fatal" => Err(Failure::fatal("no use")),
                "later" if log.len() < 4 => {
                    log.push(context.attempt());
                    Err(Failure::later(Duration::ZERO, "somebody is busy"))
                }
                _ => Ok(()),
            }
        }
    });
    yard.work_off(worker).await;
    let expected = [
        ("dead", 2, Some("it panicked: at the disco")),
        ("dead", 2, Some("it took longer than 200ms")),
        ("dead", 1, Some("no use")),
        ("done", 1, None),
        ("done", 1, None),
    ];
    for (job, (state, attempts, error)) in jobs.into_iter().zip(expected) {
        let error = error.map(str::to_owned);
        assert_eq!(yard.state(job).await, (state.to_owned(), attempts, error));
    }
    assert_eq!(waited.all(), [1; 4], "waiting is no try");
}

#[tokio::test]
async fn a_kind_that_nobody_runs_waits() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let unknown = enqueue(
        &ann,
        &Ends {
            how: "well".to_owned(),
        },
    )
    .await;
    let known = enqueue(&ann, &Mark::new()).await;
    yard.run([yard.marker()], || yard.is(known, "done")).await;
    assert_eq!(yard.state(unknown).await, ("waiting".to_owned(), 0, None));
    yard.work_off(yard.worker().on(|_: Ends, _| async { Ok(()) }))
        .await;
    assert!(yard.is(unknown, "done").await);
}

#[tokio::test]
async fn a_job_waits_for_its_time() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let tx = ann.write().await.unwrap();
    let at = |ms| JobOptions::new().at(Utc::now() + chrono::TimeDelta::milliseconds(ms));
    let soon = ann
        .enqueue_with(&tx, &Mark::new(), at(700))
        .await
        .unwrap()
        .id;
    let late = ann
        .enqueue_with(&tx, &Mark::new(), at(3_600_000))
        .await
        .unwrap()
        .id;
    let past = ann
        .enqueue_with(&tx, &Mark::new(), at(-9_000))
        .await
        .unwrap()
        .id;
    tx.commit().await.unwrap();
    yard.run([yard.marker()], || async {
        if yard.is(past, "done").await && yard.is(soon, "scheduled").await {
            wait(|| yard.is(soon, "done")).await;
            return true;
        }
        false
    })
    .await;
    assert_eq!(yard.state(late).await, ("scheduled".to_owned(), 0, None));
}

/// More than belongs into a queue.
#[derive(Serialize, Deserialize)]
struct Large {
    text: String,
}

impl Job for Large {
    const KIND: &'static str = "large";
}

#[derive(Serialize, Deserialize)]
struct Nameless {}

impl Job for Nameless {
    const KIND: &'static str = " ";
}

#[tokio::test]
async fn what_cannot_be_enqueued_or_run_is_refused_beforehand() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let tx = ann.write().await.unwrap();
    let text = |bytes| Large {
        text: "x".repeat(bytes),
    };
    let refused = ann.enqueue(&tx, &text(300_000)).await;
    assert!(
        matches!(refused, Err(Error::TooLarge(300_011))),
        "{refused:?}"
    );
    let refused = ann.enqueue(&tx, &Nameless {}).await;
    assert!(matches!(refused, Err(Error::Kind(_))), "{refused:?}");
    // The transaction is as good as before.
    ann.enqueue(&tx, &text(200_000)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(yard.count("jobs.job").await, 1);
    let twice = yard.marker().on(|_: Mark, _| async { Ok(()) });
    let refused = twice.run(std::future::pending()).await;
    assert!(
        matches!(&refused, Err(Error::Kind(kind)) if kind == "mark"),
        "{refused:?}"
    );
    // Without the tables it says so at once.
    let world = crate::identity::world::World::new().await;
    let refused = partywall::jobs::Worker::new(&world.identity)
        .run(std::future::pending())
        .await;
    let error = refused.unwrap_err();
    assert!(error.to_string().contains("jobs_beat"), "{error}");
}

#[tokio::test]
async fn a_worker_that_is_woken_does_not_wait_for_its_next_look() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let worker = yard.marker().poll(Duration::from_secs(600));
    let waker = worker.waker();
    let first = enqueue(&ann, &Mark::new()).await;
    yard.run([worker], || async {
        if !yard.is(first, "done").await {
            return false;
        }
        // It looked when the first one ended, and looks again in ten minutes.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let second = enqueue(&ann, &Mark::new()).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(yard.is(second, "waiting").await);
        waker.wake();
        wait(|| yard.is(second, "done")).await;
        true
    })
    .await;
}
