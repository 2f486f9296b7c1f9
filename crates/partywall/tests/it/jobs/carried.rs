//! A job runs in the tenant that it came from, in the name of who wanted it.

use std::time::Duration;

use partywall::{
    Dimension, Scope, Sql, TENANT,
    identity::AuditEntry,
    jobs::{
        self, Error, ErrorKind, Failure, GlobalContext, GlobalJob, Job, JobContext, JobOptions,
        enqueue_as_service,
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::yard::{Log, Mark, Yard, enqueue, mark};
use crate::identity::world::id;

/// Fails once, and then enqueues the next of its line.
#[derive(Serialize, Deserialize)]
struct Hop {
    left: u32,
}

impl Job for Hop {
    const KIND: &'static str = "hop";

    fn backoff(_: u32) -> Duration {
        Duration::ZERO
    }
}

#[derive(Clone, Debug)]
struct Ran {
    left: u32,
    attempt: u32,
    /// What the context, PostgreSQL and the task's scope say.
    tenants: [Uuid; 3],
    actor: (String, Option<Uuid>, Option<Uuid>),
    reason: Option<String>,
    /// How many marks showed of which tenants.
    sees: Vec<Uuid>,
}

#[tokio::test]
async fn d38_a_job_stays_in_its_tenant_on_retry_and_in_what_it_enqueues() {
    let yard = Yard::new().await;
    let (a, b) = (yard.world.a, yard.world.b);
    for (account, reason) in [(yard.ann().await, "for ann"), (yard.eve().await, "for eve")] {
        let tx = account.write().await.unwrap();
        let options = JobOptions::new().reason(reason);
        account
            .enqueue_with(&tx, &Hop { left: 3 }, options)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    let ran = Log::new();
    let log = ran.clone();
    let worker = yard.worker().on(move |job: Hop, context: JobContext| {
        let log = log.clone();
        async move {
            let ambient = Scope::current()?;
            let ambient = ambient.require(TENANT.name())?;
            assert_eq!(context.scope().get(TENANT.name()), Some(ambient));
            let partywall::scope::Values::One(partywall::scope::ScopeValue::Uuid(ambient)) =
                ambient
            else {
                panic!("{ambient:?}")
            };
            let tenant = mark(&context, Uuid::now_v7()).await?;
            let sees: Vec<Uuid> = context
                .db()
                .scalar("SELECT array_agg(DISTINCT tenant_id) FROM poll", [])
                .await?;
            let actor = context.actor();
            log.push(Ran {
                left: job.left,
                attempt: context.attempt(),
                tenants: [context.tenant().id, tenant, *ambient],
                actor: (actor.name().to_owned(), actor.account(), actor.user()),
                reason: context.reason().map(str::to_owned),
                sees,
            });
            if context.attempt() == 1 {
                return Err(Failure::retry("the first try is in vain"));
            }
            if job.left > 0 {
                let tx = context.begin().await?;
                let next = Hop { left: job.left - 1 };
                context.enqueue(&tx, &next).await?;
                tx.commit().await?;
            }
            Ok(())
        }
    });
    yard.work_off(worker).await;
    let ran = ran.all();
    for (tenant, name, reason) in [(a, "ann", "for ann"), (b, "eve", "for eve")] {
        let its: Vec<&Ran> = ran.iter().filter(|ran| ran.tenants[0] == tenant).collect();
        let steps: Vec<(u32, u32)> = its.iter().map(|ran| (ran.left, ran.attempt)).collect();
        let all: Vec<(u32, u32)> = (0..4).rev().flat_map(|n| [(n, 1), (n, 2)]).collect();
        assert_eq!(steps, all, "four generations of two tries each");
        let slug = if tenant == a { "a" } else { "b" };
        let account = id(&format!("{name} in {slug}"));
        for ran in its {
            assert_eq!(ran.tenants, [tenant; 3]);
            let actor = (name.to_owned(), Some(account), Some(id(name)));
            assert_eq!(ran.actor, actor);
            assert_eq!(ran.reason.as_deref(), Some(reason));
            assert_eq!(ran.sees, [tenant]);
        }
        assert_eq!(
            yard.count(&format!("poll WHERE tenant_id = '{tenant}'"))
                .await,
            8
        );
    }
    // A line of jobs knows where it came from.
    assert_eq!(yard.count("jobs.job WHERE parent_id IS NOT NULL").await, 6);
    assert_eq!(yard.count("jobs.job WHERE state = 'done'").await, 8);
}

#[derive(Serialize, Deserialize)]
struct Nightly {}

impl GlobalJob for Nightly {
    const KIND: &'static str = "nightly";

    fn backoff(_: u32) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn d38_a_job_without_a_tenant_is_refused_unless_it_was_declared_global() {
    const AUTHOR: Dimension<Uuid> = Dimension::new("user");
    let yard = Yard::new().await;
    let (a, b) = (yard.world.a, yard.world.b);
    let db = yard.world.test.db();
    let in_scope = |scope: Scope| async move { db.begin(&scope).await.unwrap() };
    let none = in_scope(Scope::trusted([])).await;
    let other = in_scope(Scope::trusted([AUTHOR.is(id("ann"))])).await;
    let across = db
        .across("the test of jobs without a tenant")
        .await
        .unwrap();
    let across = sea_orm::TransactionTrait::begin(&across).await.unwrap();
    for tx in [&none, &other, &across] {
        let refused = enqueue_as_service(tx, "a test", &Mark::new(), JobOptions::new()).await;
        let error = refused.unwrap_err();
        assert!(matches!(error, Error::NoTenant), "{error}");
        assert_eq!(error.kind(), ErrorKind::Scope);
    }
    let both = in_scope(Scope::trusted([TENANT.any_of([a, b])])).await;
    let refused = enqueue_as_service(&both, "a test", &Mark::new(), JobOptions::new()).await;
    assert!(matches!(refused, Err(Error::List("tenant"))), "{refused:?}");
    // An account's job in another tenant's transaction.
    let ann = yard.ann().await;
    let foreign = yard.eve().await.write().await.unwrap();
    let refused = ann.enqueue(&foreign, &Mark::new()).await;
    assert!(matches!(refused, Err(Error::OtherTenant)), "{refused:?}");
    foreign.commit().await.unwrap();
    assert_eq!(yard.count("jobs.job").await, 0);
    // The control: the same call in a tenant.
    let good = in_scope(Scope::trusted([TENANT.is(a)])).await;
    let job = enqueue_as_service(&good, "a test", &Mark::new(), JobOptions::new()).await;
    good.commit().await.unwrap();
    assert!(job.unwrap().is_new);
    assert_eq!(
        yard.count(&format!("jobs.job WHERE tenant_id = '{a}'"))
            .await,
        1
    );

    // Declared global it goes another way, and is in no scope.
    let identity = yard.identity();
    identity
        .enqueue_global("the timer", &Nightly {})
        .await
        .unwrap();
    let ran = Log::new();
    let log = ran.clone();
    let worker = yard
        .marker()
        .on_global(move |_: Nightly, context: GlobalContext| {
            let log = log.clone();
            async move {
                log.push((
                    context.attempt(),
                    context.actor().name().to_owned(),
                    Scope::current().is_err(),
                ));
                match context.attempt() {
                    1 => Err(Failure::retry("the first try is in vain")),
                    _ => Ok(()),
                }
            }
        });
    yard.work_off(worker).await;
    let timer = || "the timer".to_owned();
    assert_eq!(ran.all(), [(1, timer(), true), (2, timer(), true)]);
    assert_eq!(yard.count("jobs.global_job WHERE state = 'done'").await, 1);
}

#[tokio::test]
async fn a_job_is_there_if_and_only_if_its_transaction_is() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let tx = ann.write().await.unwrap();
    ann.enqueue(&tx, &Mark::new()).await.unwrap();
    tx.rollback().await.unwrap();
    let tx = ann.write().await.unwrap();
    ann.enqueue(&tx, &Mark::new()).await.unwrap();
    drop(tx);
    let tx = ann.write().await.unwrap();
    ann.enqueue(&tx, &Mark::new()).await.unwrap();
    // Nobody runs what is not committed.
    yard.run([yard.marker()], async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        true
    })
    .await;
    assert_eq!(yard.count("poll").await, 0);
    tx.commit().await.unwrap();
    assert_eq!(yard.count("jobs.job").await, 1);
    yard.work_off(yard.marker()).await;
    assert_eq!(yard.count("poll").await, 1);
}

/// What looks like a tenant and an actor in the fields is neither.
#[derive(Serialize, Deserialize)]
struct Forged {
    tenant_id: Uuid,
    tenant: Uuid,
    actor: String,
    id: Uuid,
}

impl Job for Forged {
    const KIND: &'static str = "forged";
}

#[tokio::test]
async fn a_tenant_in_the_fields_is_a_field() {
    let yard = Yard::new().await;
    let (a, b) = (yard.world.a, yard.world.b);
    let forged = Forged {
        tenant_id: b,
        tenant: b,
        actor: "eve".to_owned(),
        id: Uuid::now_v7(),
    };
    enqueue(&yard.ann().await, &forged).await;
    let ran = Log::new();
    let log = ran.clone();
    let worker = yard.worker().on(move |job: Forged, context: JobContext| {
        let log = log.clone();
        async move {
            assert_eq!((job.tenant, job.actor.as_str()), (b, "eve"));
            let tenant = mark(&context, job.id).await?;
            log.push((tenant, context.actor().name().to_owned()));
            Ok(())
        }
    });
    yard.work_off(worker).await;
    assert_eq!(ran.all(), [(a, "ann".to_owned())]);
    assert_eq!(yard.tenant_of(forged.id).await, Some(a));
}

#[tokio::test]
async fn a_narrower_scope_stays_narrower() {
    const USER: Dimension<Uuid> = Dimension::new("user");
    let yard = Yard::new().await;
    let scope = Scope::trusted([TENANT.is(yard.world.a), USER.is(id("ann"))]);
    let tx = yard.world.test.db().begin(&scope).await.unwrap();
    let job = enqueue_as_service(&tx, "a test", &Mark::new(), JobOptions::new()).await;
    tx.commit().await.unwrap();
    let job = job.unwrap().id;
    let ran = Log::new();
    let log = ran.clone();
    let worker = || {
        let log = log.clone();
        yard.worker().on(move |_: Mark, context: JobContext| {
            log.push(context.scope().clone());
            std::future::ready(Ok(()))
        })
    };
    yard.work_off(worker()).await;
    assert_eq!(ran.all(), [scope]);
    // A dimension that nobody knows any more would widen the scope: the job is given up.
    let unknown = format!(
        "UPDATE jobs.job SET state = 'waiting', narrowed = '{{\"author\": \"7\"}}' WHERE id = '{job}'"
    );
    yard.probe.run(&unknown).await;
    yard.work_off(worker()).await;
    let (state, _, error) = yard.state(job).await;
    assert_eq!(state, "dead");
    assert_eq!(
        error.as_deref(),
        Some("the job's `narrowed` cannot be read")
    );
    assert_eq!(ran.len(), 1);
}

#[tokio::test]
async fn what_a_job_does_is_written_down_with_who_wanted_it_and_why() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let tx = ann.write().await.unwrap();
    let options = JobOptions::new().reason("the board meets on Friday");
    let job = ann.enqueue_with(&tx, &Mark::new(), options).await.unwrap();
    tx.commit().await.unwrap();
    let worker = yard.worker().on(|_: Mark, context: JobContext| async move {
        let tx = context.begin().await?;
        context.audit(&tx, AuditEntry::new("report.sent")).await?;
        context.commit(tx).await?;
        Ok::<(), jobs::Failure>(())
    });
    yard.work_off(worker).await;
    let entries = ann.audit_list(None, 1).await.unwrap();
    let entry = &entries[0];
    assert_eq!(entry.action, "report.sent");
    assert_eq!(entry.actor_name, "ann");
    assert_eq!(entry.actor_user, Some(id("ann")));
    assert_eq!(entry.actor_account, Some(id("ann in a")));
    assert_eq!(entry.detail["reason"], "the board meets on Friday");
    assert_eq!(entry.detail["job"], job.id.to_string());
    assert_eq!(entry.detail["job_kind"], "mark");
}
