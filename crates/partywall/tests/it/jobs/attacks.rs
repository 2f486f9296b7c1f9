//! What a statement of the application's can and cannot do to the queue.

use partywall::{
    Scope, Sql, TENANT,
    db::ErrorKind,
    jobs::model::job,
    testing::{assert_enforced, assert_isolated},
};
use sea_orm::Value;
use uuid::Uuid;

use super::yard::{Mark, Yard, enqueue};

const INSERT: &str = "INSERT INTO jobs.job (id, tenant_id, kind, payload, state, priority, due_at, \
    attempts, actor, narrowed, created_at) \
    VALUES ($1, $2, 'mark', $3, 'waiting', 0, now(), 0, $4, '{}', now())";

fn values(tenant: Uuid) -> [Value; 4] {
    let mark = serde_json::to_value(Mark::new()).unwrap();
    let actor = serde_json::json!({"as": "service", "name": "x", "user": null, "subject": null, "address": null});
    [
        Uuid::now_v7().into(),
        tenant.into(),
        mark.into(),
        actor.into(),
    ]
}

#[tokio::test]
async fn a_statement_of_one_tenants_forges_no_job_in_another() {
    let yard = Yard::new().await;
    let (a, b) = (yard.world.a, yard.world.b);
    let db = yard.world.test.as_tenant(a);
    let forged = db.execute_sql(INSERT, values(b)).await.unwrap_err();
    assert_eq!(forged.kind(), ErrorKind::Denied, "{forged}");
    // Nor without a scope, nor as the login for lists.
    let nobody = yard.world.test.as_scope(&Scope::trusted([]));
    nobody.execute_sql(INSERT, values(b)).await.unwrap_err();
    let both = yard
        .world
        .test
        .as_scope(&Scope::trusted([TENANT.any_of([a, b])]));
    let lists = both.execute_sql(INSERT, values(b)).await.unwrap_err();
    assert_eq!(lists.kind(), ErrorKind::Denied, "{lists}");
    assert_eq!(yard.count("jobs.job").await, 0);
    // The control: in one's own tenant it is a job like any other, and runs there.
    assert_eq!(db.execute_sql(INSERT, values(a)).await.unwrap(), 1);
    yard.work_off(yard.marker()).await;
    assert_eq!(yard.count("jobs.job WHERE state = 'done'").await, 1);
    assert_eq!(
        yard.count(&format!("poll WHERE tenant_id = '{a}'")).await,
        1
    );
}

#[tokio::test]
async fn the_queue_is_behind_the_wall() {
    let yard = Yard::new().await;
    enqueue(&yard.ann().await, &Mark::new()).await;
    enqueue(&yard.eve().await, &Mark::new()).await;
    let world = &yard.world;
    assert_isolated::<job::Entity>(&world.test, world.a, world.b).await;
    assert_enforced(&world.test).await;
}

#[tokio::test]
async fn no_tenant_sees_anothers_jobs() {
    let yard = Yard::new().await;
    let theirs = enqueue(&yard.eve().await, &Mark::new()).await;
    let count = |tenant| {
        let db = yard.world.test.as_tenant(tenant);
        async move {
            db.scalar::<i64, _>("SELECT count(*) FROM jobs.job", [])
                .await
                .unwrap()
        }
    };
    assert_eq!(count(yard.world.a).await, 0);
    assert_eq!(count(yard.world.b).await, 1);
    let ann = yard.ann().await;
    assert!(ann.job_list(&Default::default()).await.unwrap().is_empty());
    let eve = yard.eve().await;
    assert_eq!(
        eve.job_list(&Default::default()).await.unwrap()[0].id,
        theirs
    );
    // One of another tenant's is one that is not there.
    let missing = [theirs, Uuid::now_v7()];
    for job in missing {
        for refused in [
            ann.job(job).await.map(drop),
            ann.job_cancel(job).await,
            ann.job_retry(job).await,
            ann.job_discard(job).await,
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error, partywall::jobs::Error::NotFound), "{error}");
        }
    }
    assert!(yard.is(theirs, "waiting").await);
    eve.job(theirs).await.unwrap();
    eve.job_cancel(theirs).await.unwrap();
}

#[tokio::test]
async fn the_application_claims_changes_and_ends_no_job() {
    let yard = Yard::new().await;
    enqueue(&yard.ann().await, &Mark::new()).await;
    enqueue(&yard.eve().await, &Mark::new()).await;
    let db = yard.world.test.as_tenant(yard.world.a);
    for sql in [
        "SELECT * FROM partywall.jobs_claim('{mark}', '{9}', '{t}', 9, NULL, 9, NULL)",
        "SELECT * FROM partywall.jobs_beat('{}', 1)",
        "SELECT partywall.jobs_tidy(0)",
        "UPDATE jobs.job SET priority = 9",
        "DELETE FROM jobs.job",
        "SELECT * FROM jobs.global_job",
        "INSERT INTO jobs.global_job (id, job_queue, kind, payload, state, priority, due_at, attempts, actor, created_at) \
         VALUES (gen_random_uuid(), 'service', 'x', '{}', 'waiting', 0, now(), 0, '{}', now())",
    ] {
        let refused = db.rows(sql, []).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Denied, "{sql}: {refused}");
    }
    // Ending a job asks for the worker that has it, and reaches no other tenant.
    let held =
        "UPDATE jobs.job SET state = 'running', lease = '00000000-0000-4000-8000-000000000001'";
    yard.probe.run(held).await;
    let done =
        "SELECT count(*) FROM unnest($1::uuid[]) AS job (id) WHERE partywall.jobs_done(id, $2)";
    let rows = yard
        .probe
        .client
        .query("SELECT id::text FROM jobs.job", &[])
        .await
        .unwrap();
    let jobs: Vec<Uuid> = rows
        .iter()
        .map(|row| row.get::<_, String>(0).parse().unwrap())
        .collect();
    let ends = |worker: u128| {
        let values = [jobs.clone().into(), Uuid::from_u128(worker).into()];
        async { db.scalar::<i64, _>(done, values).await.unwrap() }
    };
    assert_eq!(ends(7).await, 0);
    let worker = 0x0000_0000_0000_4000_8000_0000_0000_0001;
    assert_eq!(ends(worker).await, 1);
    let left = format!(
        "jobs.job WHERE state = 'running' AND tenant_id = '{}'",
        yard.world.b
    );
    assert_eq!(yard.count(&left).await, 1);
}

#[tokio::test]
async fn jobs_are_listed_and_changed_by_who_may() {
    let yard = Yard::new().await;
    let job = enqueue(&yard.ann().await, &Mark::new()).await;
    let bob = yard.world.account("bob", yard.world.a).await;
    for refused in [
        bob.job_list(&Default::default()).await.map(drop),
        bob.job(job).await.map(drop),
        bob.job_cancel(job).await,
        bob.job_retry(job).await,
        bob.job_discard(job).await,
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), partywall::jobs::ErrorKind::Denied, "{error}");
    }
    assert!(yard.is(job, "waiting").await);
    let ann = yard.ann().await;
    assert_eq!(ann.job(job).await.unwrap().actor.name(), "ann");
    ann.job_cancel(job).await.unwrap();
    let entries = ann.audit_list(None, 1).await.unwrap();
    assert_eq!(entries[0].action, "job.cancelled");
    assert_eq!(entries[0].target, Some(job.to_string()));
}

#[tokio::test]
async fn polling_leaves_no_trace_in_the_list_of_crossings() {
    let yard = Yard::new().await;
    enqueue(&yard.ann().await, &Mark::new()).await;
    yard.work_off(yard.marker()).await;
    assert_eq!(yard.count("partywall.crossing").await, 0);
    // The control.
    let report = yard
        .identity()
        .for_each_tenant("a test")
        .run(|_| async { Ok(()) });
    report.await.unwrap();
    assert_eq!(yard.count("partywall.crossing").await, 1);
}
