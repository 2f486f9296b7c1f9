//! Something is done for every tenant.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use partywall::{
    Scope, Sql, TENANT,
    db::{self, ErrorKind},
    jobs::{Error, Failure, GlobalContext, GlobalJob, JobContext, Outcome, TenantWork},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::yard::{Log, Mark, Yard, mark, wait};

/// Further tenants, each with a row of its own.
async fn tenants(yard: &Yard, count: u32) -> Vec<Uuid> {
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    for (n, id) in ids.iter().enumerate() {
        let sql = format!(
            "INSERT INTO identity.tenant (id, slug, name, created_at) VALUES ('{id}', 'tenant-{n}', 'Tenant {n}', now());\
             INSERT INTO poll (id, tenant_id) VALUES (gen_random_uuid(), '{id}')"
        );
        yard.probe.run(&sql).await;
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d39_each_tenant_is_by_itself_and_the_failures_of_some_are_told() {
    let yard = Yard::new().await;
    let made = tenants(&yard, 12).await;
    let (fails, panics, hangs, suspended, deleted) = (made[1], made[3], made[5], made[7], made[9]);
    let close = format!(
        "UPDATE identity.tenant SET suspended_at = now() WHERE id = '{suspended}';\
         UPDATE identity.tenant SET delete_after = now() + interval '1 day' WHERE id = '{deleted}'"
    );
    yard.probe.run(&close).await;
    let saw = Log::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut told = Vec::new();
    let (log, at, top) = (saw.clone(), now.clone(), most.clone());
    let report = yard
        .identity()
        .for_each_tenant("the nightly marks")
        .parallel(4)
        .limit(Duration::from_secs(2))
        .progress(|progress| told.push(progress.clone()))
        .run(move |work: TenantWork| {
            let (log, at, top) = (log.clone(), at.clone(), top.clone());
            async move {
                top.fetch_max(at.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(40)).await;
                let id = work.tenant().id;
                // A statement without a condition reaches the tenant's rows only.
                let tx = work.begin().await?;
                tx.execute_sql("INSERT INTO poll (id) VALUES (gen_random_uuid())", [])
                    .await?;
                let seen: Vec<Uuid> = tx
                    .scalar("SELECT array_agg(DISTINCT tenant_id) FROM poll", [])
                    .await?;
                tx.commit().await?;
                assert!(Scope::current()?.get(TENANT.name()) == work.scope().get(TENANT.name()));
                log.push((id, seen));
                at.fetch_sub(1, Ordering::SeqCst);
                if id == fails {
                    return Err(Failure::from(std::fmt::Error));
                }
                assert!(id != panics, "for no reason");
                if id == hangs {
                    return std::future::pending().await;
                }
                Ok(())
            }
        })
        .await
        .unwrap();
    // A and B, and ten of the twelve, of which three failed.
    assert_eq!(
        (report.done, report.skipped, report.failed.len()),
        (9, 2, 3)
    );
    assert!(!report.is_complete() && report.stopped.is_none());
    let failed: HashMap<Uuid, String> = report
        .failed
        .iter()
        .map(|failed| (failed.tenant.id, failed.error.text()))
        .collect();
    let error = |of: Uuid| failed.get(&of).map(String::as_str);
    assert_eq!(error(fails), Some(std::fmt::Error.to_string().as_str()));
    assert_eq!(error(panics), Some("it panicked: for no reason"));
    assert_eq!(error(hangs), Some("it took longer than 2s"));
    let of_fails = report.failed.iter().find(|one| one.tenant.id == fails);
    assert_eq!(of_fails.unwrap().tenant.slug, "tenant-1");
    let saw = saw.all();
    assert_eq!(saw.len(), 12);
    assert!(
        saw.iter().all(|(tenant, seen)| seen == &[*tenant]),
        "{saw:?}"
    );
    let most = most.load(Ordering::SeqCst);
    assert!((2..=4).contains(&most), "{most} at once");
    // Told after each, and complete at the end.
    assert_eq!(told.len(), 14);
    for (n, progress) in (1..).zip(&told) {
        assert_eq!(progress.done + progress.failed + progress.skipped, n);
        assert_eq!(progress.total, 14);
    }
    let outcome = |of: Uuid| told.iter().find(|one| one.tenant.id == of).unwrap().outcome;
    assert_eq!(outcome(made[0]), Outcome::Done);
    assert_eq!(outcome(panics), Outcome::Failed);
    assert_eq!(outcome(suspended), Outcome::Skipped);
    assert_eq!(outcome(deleted), Outcome::Skipped);
    // The way across was taken once, with the reason and the place.
    let crossing = "partywall.crossing WHERE reason = 'the nightly marks' AND file LIKE '%tests/it/jobs/each_tenant.rs'";
    assert_eq!(
        (
            yard.count(crossing).await,
            yard.count("partywall.crossing").await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn d39_the_work_for_one_tenant_cannot_reach_another() {
    let yard = Yard::new().await;
    let b = yard.world.b;
    let refusals = Log::new();
    let log = refusals.clone();
    let report = yard
        .identity()
        .for_each_tenant("an attempt on b")
        .run(move |work: TenantWork| {
            let log = log.clone();
            async move {
                let id = work.tenant().id;
                let insert = "INSERT INTO poll (id, tenant_id) VALUES (gen_random_uuid(), $1)";
                match work.db().execute_sql(insert, [b.into()]).await {
                    Ok(_) => log.push((id, None)),
                    Err(error) => log.push((id, Some(error.kind()))),
                }
                Ok(())
            }
        })
        .await
        .unwrap();
    assert!(report.is_complete());
    let mut refusals = refusals.all();
    refusals.sort_by_key(|(tenant, _)| *tenant == b);
    assert_eq!(
        refusals,
        [(yard.world.a, Some(ErrorKind::Denied)), (b, None)]
    );
    assert_eq!(yard.count("poll").await, 1);
}

#[tokio::test]
async fn d39_work_that_was_stopped_goes_on_where_it_was() {
    let yard = Yard::new().await;
    tenants(&yard, 10).await;
    let done = Log::new();
    let stopped_at = Log::new();
    let work = |log: Log<Uuid>, stops: bool| {
        move |work: TenantWork| {
            let log = log.clone();
            async move {
                if stops && log.len() >= 6 {
                    return std::future::pending().await;
                }
                log.push(work.tenant().id);
                Ok(())
            }
        }
    };
    let identity = yard.identity().clone();
    let (log, at) = (done.clone(), stopped_at.clone());
    let first = tokio::spawn(async move {
        identity
            .for_each_tenant("the first half")
            .parallel(2)
            .progress(|progress| at.push(progress.resume_after))
            .run(work(log, true))
            .await
    });
    wait(|| async { stopped_at.len() == 6 }).await;
    // Dropped, it begins no more.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let resume = stopped_at.all()[5].unwrap();
    let before: HashSet<Uuid> = done.all().into_iter().filter(|id| *id <= resume).collect();
    let again = Log::new();
    let second = yard
        .identity()
        .for_each_tenant("the second half")
        .after(resume);
    let report = second.run(work(again.clone(), false)).await.unwrap();
    assert!(report.is_complete());
    let again: HashSet<Uuid> = again.all().into_iter().collect();
    assert!(before.is_disjoint(&again));
    assert_eq!(before.len() + again.len(), 12);
    assert_eq!(report.resume_after, again.iter().max().copied());
}

#[tokio::test]
async fn d39_very_many_tenants_are_read_a_page_at_a_time() {
    let yard = Yard::new().await;
    let sql = "INSERT INTO identity.tenant (id, slug, name, created_at) \
               SELECT gen_random_uuid(), 'many-' || n, 'Many', now() FROM generate_series(1, 1100) n";
    yard.probe.run(sql).await;
    let seen = Log::new();
    let log = seen.clone();
    let all = yard.identity().for_each_tenant("all of them").parallel(8);
    let report = all
        .run(move |work: TenantWork| {
            log.push(work.tenant().id);
            std::future::ready(Ok(()))
        })
        .await
        .unwrap();
    assert_eq!(report.done, 1_102);
    let distinct: HashSet<Uuid> = seen.all().into_iter().collect();
    assert_eq!(distinct.len(), 1_102);
    assert_eq!(yard.count("partywall.crossing").await, 1);
}

#[tokio::test]
async fn a_reason_is_needed_and_suspended_tenants_can_be_asked_for() {
    let yard = Yard::new().await;
    let refused = yard
        .identity()
        .for_each_tenant(" ")
        .run(|_| async { Ok(()) })
        .await;
    let error = refused.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Database(db::Error::Refused(db::Refused::Reason))
        ),
        "{error}"
    );
    let sue = yard.world.user("sue").await;
    sue.tenant_suspend(yard.world.a).await.unwrap();
    let all = || yard.identity().for_each_tenant("a test");
    let report = all().run(|_| async { Ok(()) }).await.unwrap();
    assert_eq!((report.done, report.skipped), (1, 1));
    let report = all()
        .with_suspended()
        .run(|_| async { Ok(()) })
        .await
        .unwrap();
    assert_eq!((report.done, report.skipped), (2, 0));
}

/// What a timer enqueues, to enqueue a job for each tenant.
#[derive(Serialize, Deserialize)]
struct Weekly {}

impl GlobalJob for Weekly {
    const KIND: &'static str = "weekly";
}

#[tokio::test]
async fn a_job_of_the_services_gives_each_tenant_one_of_its_own() {
    let yard = Yard::new().await;
    yard.identity()
        .enqueue_global("the timer", &Weekly {})
        .await
        .unwrap();
    let ran = Log::new();
    let log = ran.clone();
    let worker = yard
        .worker()
        .on_global(|_: Weekly, context: GlobalContext| async move {
            let report = context
                .identity()
                .for_each_tenant("the weekly digest")
                .run(|work: TenantWork| async move {
                    let tx = work.begin().await?;
                    work.enqueue(&tx, &Mark::new()).await?;
                    tx.commit().await?;
                    Ok(())
                })
                .await?;
            match report.failed.into_iter().next() {
                None => Ok(()),
                Some(failed) => Err(failed.error),
            }
        })
        .on(move |job: Mark, context: JobContext| {
            let log = log.clone();
            async move {
                let tenant = mark(&context, job.id).await?;
                let actor = context.actor();
                assert!(actor.is_service() && actor.account().is_none());
                log.push((tenant, actor.name().to_owned()));
                Ok(())
            }
        });
    yard.work_off(worker).await;
    let mut ran = ran.all();
    ran.sort();
    let digest = || "the weekly digest".to_owned();
    let mut expected = vec![(yard.world.a, digest()), (yard.world.b, digest())];
    expected.sort();
    assert_eq!(ran, expected);
}
