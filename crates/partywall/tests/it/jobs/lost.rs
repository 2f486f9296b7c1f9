//! Workers that are lost, stopped and too slow, and jobs that two of them might run.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use partywall::{
    Sql,
    jobs::{Error, Failure, JobContext},
};
use uuid::Uuid;

use super::yard::{Log, Mark, Yard, enqueue, mark, start, wait};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_never_run_one_job_at_once() {
    let yard = Yard::new().await;
    let (ann, eve) = (yard.ann().await, yard.eve().await);
    for _ in 0..30 {
        enqueue(&ann, &Mark::new()).await;
        enqueue(&eve, &Mark::new()).await;
    }
    let running: Arc<Mutex<HashMap<Uuid, u32>>> = Arc::default();
    let (ran, overlaps) = (Log::new(), Log::new());
    let workers = (0..4).map(|worker| {
        let (running, ran, overlaps) = (running.clone(), ran.clone(), overlaps.clone());
        yard.worker()
            .concurrency(5)
            .on(move |_: Mark, context: JobContext| {
                let (running, ran, overlaps) = (running.clone(), ran.clone(), overlaps.clone());
                async move {
                    let id = context.id();
                    *running.lock().unwrap().entry(id).or_default() += 1;
                    tokio::time::sleep(Duration::from_millis(15)).await;
                    if running.lock().unwrap()[&id] != 1 {
                        overlaps.push(id);
                    }
                    *running.lock().unwrap().get_mut(&id).unwrap() -= 1;
                    ran.push((worker, id));
                    Ok(())
                }
            })
    });
    yard.run(workers.collect::<Vec<_>>(), || yard.is_quiet())
        .await;
    assert_eq!(overlaps.len(), 0);
    let ran = ran.all();
    assert_eq!(ran.len(), 60);
    let count = |of: &dyn Fn(&(i32, Uuid)) -> String| {
        ran.iter()
            .map(of)
            .collect::<std::collections::HashSet<_>>()
            .len()
    };
    assert_eq!(count(&|(_, job)| job.to_string()), 60);
    // More than one had a part in it.
    assert!(count(&|(worker, _)| worker.to_string()) > 1);
    assert_eq!(
        yard.count("jobs.job WHERE state = 'done' AND attempts = 1")
            .await,
        60
    );
}

#[tokio::test]
async fn a_job_of_a_lost_worker_runs_again_when_its_lease_is_over() {
    let yard = Yard::new().await;
    let job = enqueue(&yard.ann().await, &Mark::new()).await;
    let lease = Duration::from_secs(1);
    let ran = Log::new();
    let worker = || {
        let log = ran.clone();
        yard.worker()
            .lease(lease)
            .on(move |job: Mark, context: JobContext| {
                let log = log.clone();
                async move {
                    log.push(context.attempt());
                    if context.attempt() == 1 {
                        let tx = context.begin().await?;
                        tx.execute_sql("INSERT INTO poll (id) VALUES ($1)", [job.id.into()])
                            .await?;
                        return std::future::pending().await;
                    }
                    mark(&context, job.id).await?;
                    Ok(())
                }
            })
    };
    let (_stop, first) = start(worker());
    wait(|| async { ran.len() == 1 }).await;
    first.abort();
    let lost = Instant::now();
    yard.work_off(worker()).await;
    assert!(lost.elapsed() > lease / 2, "the lease counted for nothing");
    assert_eq!(ran.all(), [1, 2]);
    assert_eq!(yard.state(job).await, ("done".to_owned(), 2, None));
    // What the lost one wrote was rolled back, or the second would have found the key taken.
    assert_eq!(yard.count("poll").await, 1);
}

#[tokio::test]
async fn a_job_may_take_longer_than_a_lease() {
    let yard = Yard::new().await;
    enqueue(&yard.ann().await, &Mark::new()).await;
    let ran = Log::new();
    let worker = || {
        let log = ran.clone();
        let worker = yard.worker().lease(Duration::from_millis(400));
        worker.on(move |_: Mark, context: JobContext| {
            log.push(context.attempt());
            async {
                tokio::time::sleep(Duration::from_millis(1_600)).await;
                Ok(())
            }
        })
    };
    yard.run([worker(), worker()], || yard.is_quiet()).await;
    assert_eq!(ran.all(), [1]);
}

/// Takes a job away from its worker, as if its lease had run out unseen.
async fn give_away(yard: &Yard, job: Uuid) {
    let sql = format!("UPDATE jobs.job SET lease = NULL, state = 'waiting' WHERE id = '{job}'");
    yard.probe.run(&sql).await;
}

#[tokio::test]
async fn whoever_lost_a_job_commits_nothing_of_it() {
    let yard = Arc::new(Yard::new().await);
    let job = Mark::new();
    let id = enqueue(&yard.ann().await, &job).await;
    let ends = Log::new();
    let (log, inside) = (ends.clone(), yard.clone());
    let worker = yard.worker().on(move |job: Mark, context: JobContext| {
        let (log, yard) = (log.clone(), inside.clone());
        async move {
            let tx = context.begin().await?;
            tx.execute_sql("INSERT INTO poll (id) VALUES ($1)", [job.id.into()])
                .await?;
            if context.attempt() == 1 {
                give_away(&yard, context.id()).await;
            }
            let committed = context.commit(tx).await;
            log.push((context.attempt(), matches!(committed, Err(Error::Lost))));
            Ok(committed?)
        }
    });
    yard.work_off(worker).await;
    // Its failure is not the second try's either.
    assert_eq!(ends.all(), [(1, true), (2, false)]);
    assert_eq!(yard.state(id).await, ("done".to_owned(), 2, None));
    assert_eq!(yard.count("poll").await, 1);
}

#[tokio::test]
async fn a_job_that_committed_is_done_whatever_it_says_afterwards() {
    let yard = Yard::new().await;
    let id = enqueue(&yard.ann().await, &Mark::new()).await;
    let worker = yard
        .worker()
        .on(|job: Mark, context: JobContext| async move {
            let tx = context.begin().await?;
            tx.execute_sql("INSERT INTO poll (id) VALUES ($1)", [job.id.into()])
                .await?;
            context.commit(tx).await?;
            Err(Failure::retry("too late"))
        });
    yard.work_off(worker).await;
    assert_eq!(yard.state(id).await, ("done".to_owned(), 1, None));
    assert_eq!(yard.count("poll").await, 1);
}

#[tokio::test]
async fn a_job_whose_workers_are_lost_each_time_is_given_up() {
    let yard = Yard::new().await;
    let id = enqueue(&yard.ann().await, &Mark::new()).await;
    let lost = format!(
        "UPDATE jobs.job SET state = 'running', lease = gen_random_uuid(), attempts = 3, \
         due_at = now() - interval '1 second' WHERE id = '{id}'"
    );
    yard.probe.run(&lost).await;
    yard.work_off(yard.marker()).await;
    let error = Some("3 tries began and none came to an end".to_owned());
    assert_eq!(yard.state(id).await, ("dead".to_owned(), 4, error));
    assert_eq!(yard.count("poll").await, 0);
}

#[tokio::test]
async fn a_worker_that_is_stopped_lets_jobs_end_and_begins_none() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let first = enqueue(&ann, &Mark::new()).await;
    let begun = Arc::new(AtomicU32::new(0));
    let count = begun.clone();
    let worker = yard
        .worker()
        .concurrency(1)
        .on(move |_: Mark, _: JobContext| {
            count.fetch_add(1, Ordering::SeqCst);
            async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Ok(())
            }
        });
    let (stop, worker) = start(worker);
    wait(|| async { begun.load(Ordering::SeqCst) == 1 }).await;
    let second = enqueue(&ann, &Mark::new()).await;
    stop.send(()).unwrap();
    worker.await.unwrap().unwrap();
    assert_eq!(yard.state(first).await, ("done".to_owned(), 1, None));
    assert_eq!(yard.state(second).await, ("waiting".to_owned(), 0, None));
}

#[tokio::test]
async fn what_outlasts_the_grace_is_given_back_at_once() {
    let yard = Yard::new().await;
    let id = enqueue(&yard.ann().await, &Mark::new()).await;
    let begun = Log::new();
    let log = begun.clone();
    let worker = yard.worker().grace(Duration::from_millis(100));
    let (stop, worker) = start(worker.on(move |_: Mark, context: JobContext| {
        log.push(context.attempt());
        std::future::pending()
    }));
    wait(|| async { begun.len() == 1 }).await;
    stop.send(()).unwrap();
    worker.await.unwrap().unwrap();
    let why = Some("the worker was stopped".to_owned());
    assert_eq!(yard.state(id).await, ("scheduled".to_owned(), 0, why));
    let since = Instant::now();
    yard.work_off(yard.marker()).await;
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "it waited for the lease"
    );
    assert_eq!(yard.state(id).await, ("done".to_owned(), 1, None));
}
