//! What becomes of jobs whose tenant or account goes.

use std::time::Duration;

use partywall::{
    identity::TenantSelector,
    jobs::{Error, ErrorKind, Failure, Job, JobContext},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::yard::{Log, Mark, Yard, enqueue, mark, start, wait};
use crate::identity::world::{id, token};

/// Runs whatever becomes of the tenant, short of its end.
#[derive(Serialize, Deserialize)]
struct Anyway {}

impl Job for Anyway {
    const KIND: &'static str = "anyway";
    const WHILE_SUSPENDED: bool = true;
}

#[tokio::test]
async fn jobs_of_a_suspended_tenant_wait() {
    let yard = Yard::new().await;
    let (ann, eve) = (yard.ann().await, yard.eve().await);
    let waits = enqueue(&ann, &Mark::new()).await;
    let anyway = enqueue(&ann, &Anyway {}).await;
    let other = enqueue(&eve, &Mark::new()).await;
    let sue = yard.world.user("sue").await;
    sue.tenant_suspend(yard.world.a).await.unwrap();
    let worker = || yard.marker().on(|_: Anyway, _| async { Ok(()) });
    yard.run([worker()], || async {
        yard.is(anyway, "done").await && yard.is(other, "done").await
    })
    .await;
    assert_eq!(yard.state(waits).await, ("waiting".to_owned(), 0, None));
    sue.tenant_resume(yard.world.a).await.unwrap();
    yard.work_off(worker()).await;
    assert_eq!(yard.state(waits).await, ("done".to_owned(), 1, None));
}

#[tokio::test]
async fn jobs_of_a_deleted_tenant_do_not_run_until_it_is_restored() {
    let yard = Yard::new().await;
    let (ann, eve) = (yard.ann().await, yard.eve().await);
    let job = enqueue(&ann, &Mark::new()).await;
    let anyway = enqueue(&ann, &Anyway {}).await;
    ann.tenant_delete().await.unwrap();
    let other = enqueue(&eve, &Mark::new()).await;
    let worker = || yard.marker().on(|_: Anyway, _| async { Ok(()) });
    yard.run([worker()], || yard.is(other, "done")).await;
    for waits in [job, anyway] {
        assert_eq!(yard.state(waits).await, ("waiting".to_owned(), 0, None));
    }
    let tenant = TenantSelector::Id(yard.world.a);
    let found = yard
        .identity()
        .authenticate(&token("ann"), tenant, None)
        .await;
    found.unwrap().tenant_restore("restored").await.unwrap();
    yard.work_off(worker()).await;
    assert!(yard.is(job, "done").await && yard.is(anyway, "done").await);
    // Gone for good, they go as well.
    enqueue(&yard.ann().await, &Mark::new()).await;
    yard.ann().await.tenant_delete().await.unwrap();
    yard.probe
        .run("UPDATE identity.tenant SET delete_after = now() WHERE delete_after IS NOT NULL")
        .await;
    let purged = yard.identity().tenants_purge(|_| {}).await.unwrap();
    assert_eq!(purged.gone, [yard.world.a]);
    let left = format!("jobs.job WHERE tenant_id = '{}'", yard.world.a);
    assert_eq!(yard.count(&left).await, 0);
    assert_eq!(yard.count("jobs.job").await, 1);
}

/// A worker whose jobs hang, and a log of those that were begun and of those that were dropped.
fn hanging(yard: &Yard) -> (partywall::jobs::Worker, Log<&'static str>) {
    struct Told(Log<&'static str>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.push("dropped");
        }
    }
    let told = Log::new();
    let log = told.clone();
    let worker = yard.worker().lease(Duration::from_millis(600));
    let worker = worker.on(move |_: Mark, _: JobContext| {
        log.push("begun");
        let guard = Told(log.clone());
        async move {
            std::future::pending::<()>().await;
            drop(guard);
            Ok(())
        }
    });
    (worker, told)
}

#[tokio::test]
async fn a_running_job_of_a_deleted_tenant_is_dropped() {
    let yard = Yard::new().await;
    let (ann, eve) = (yard.ann().await, yard.eve().await);
    enqueue(&ann, &Mark::new()).await;
    let (worker, told) = hanging(&yard);
    let (_stop, worker) = start(worker);
    wait(|| async { told.all() == ["begun"] }).await;
    enqueue(&eve, &Mark::new()).await;
    wait(|| async { told.all() == ["begun"; 2] }).await;
    ann.tenant_delete().await.unwrap();
    wait(|| async { told.len() == 3 }).await;
    // The other tenant's goes on, over several leases.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(told.all(), ["begun", "begun", "dropped"]);
    worker.abort();
}

#[tokio::test]
async fn a_running_job_that_is_cancelled_is_dropped() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let job = enqueue(&ann, &Mark::new()).await;
    let (worker, told) = hanging(&yard);
    let (stop, worker) = start(worker);
    wait(|| async { told.all() == ["begun"] }).await;
    ann.job_cancel(job).await.unwrap();
    wait(|| async { told.all() == ["begun", "dropped"] }).await;
    stop.send(()).unwrap();
    worker.await.unwrap().unwrap();
    assert_eq!(yard.state(job).await, ("cancelled".to_owned(), 1, None));
    assert!(matches!(ann.job_cancel(job).await, Err(Error::NotFound)));
}

/// Only in the name of who may publish.
#[derive(Serialize, Deserialize)]
struct Publish {
    id: Uuid,
}

impl Job for Publish {
    const KIND: &'static str = "publish";
    const REQUIRES: Option<&'static str> = Some("note.publish");

    fn backoff(_: u32) -> Duration {
        Duration::ZERO
    }
}

fn publisher(yard: &Yard) -> partywall::jobs::Worker {
    yard.marker()
        .on(|job: Publish, context: JobContext| async move {
            mark(&context, job.id).await?;
            Ok(())
        })
}

fn publish() -> Publish {
    Publish { id: Uuid::now_v7() }
}

#[tokio::test]
async fn a_job_that_needs_a_permission_asks_for_it_when_it_runs() {
    let lacks = "whoever wanted it lacks the permission `note.publish` by now".to_owned();
    let takes = [
        // The role, the account, the person.
        (
            "DELETE FROM identity.account_role WHERE account_id",
            "amy in a",
        ),
        (
            "UPDATE identity.account SET deactivated_at = now() WHERE id",
            "amy in a",
        ),
        (
            "UPDATE identity.\"user\" SET deactivated_at = now() WHERE id",
            "amy",
        ),
    ];
    for (take, from) in takes {
        let yard = Yard::new().await;
        yard.world.joins("amy", "admin").await;
        let amy = yard.world.account("amy", yard.world.a).await;
        let (before, plain) = (enqueue(&amy, &publish()).await, Mark::new());
        yard.work_off(publisher(&yard)).await;
        assert!(yard.is(before, "done").await);
        let (after, also) = (enqueue(&amy, &publish()).await, enqueue(&amy, &plain).await);
        yard.probe.run(&format!("{take} = '{}'", id(from))).await;
        yard.work_off(publisher(&yard)).await;
        let dead = ("dead".to_owned(), 1, Some(lacks.clone()));
        assert_eq!(yard.state(after).await, dead, "{take}");
        // What needs no permission is the tenant's work once it is there.
        assert!(yard.is(also, "done").await, "{take}");
        assert_eq!(yard.tenant_of(plain.id).await, Some(yard.world.a));
    }
}

#[tokio::test]
async fn who_lacks_the_permission_enqueues_no_job_that_needs_it() {
    let yard = Yard::new().await;
    let bob = yard.world.account("bob", yard.world.a).await;
    let tx = bob.write().await.unwrap();
    let refused = bob.enqueue(&tx, &publish()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied, "{refused}");
    bob.enqueue(&tx, &Mark::new()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(yard.count("jobs.job").await, 1);
    enqueue(&yard.ann().await, &publish()).await;
}

#[tokio::test]
async fn nothing_is_committed_in_the_name_of_an_account_after_its_removal() {
    let yard = Yard::new().await;
    let account = yard.world.joins("amy", "admin").await;
    let amy = yard.world.account("amy", yard.world.a).await;
    let job = enqueue(&amy, &publish()).await;
    let (begun, errors) = (Log::new(), Log::new());
    let (told, log) = (begun.clone(), errors.clone());
    let worker = yard.worker().on(move |job: Publish, context: JobContext| {
        let (told, log) = (told.clone(), log.clone());
        async move {
            told.push(());
            tokio::time::sleep(Duration::from_millis(400)).await;
            let written = mark(&context, job.id).await;
            log.push(written.is_err());
            written.map(drop).map_err(Failure::from)
        }
    });
    let (stop, worker) = start(worker);
    wait(|| async { begun.len() == 1 }).await;
    let remove =
        format!("UPDATE identity.account SET deactivated_at = now() WHERE id = '{account}'");
    yard.probe.run(&remove).await;
    wait(|| yard.is(job, "dead")).await;
    stop.send(()).unwrap();
    worker.await.unwrap().unwrap();
    // The first try was in time and could not write, the second did not begin.
    assert_eq!(errors.all(), [true]);
    assert_eq!(yard.count("poll").await, 0);
}
