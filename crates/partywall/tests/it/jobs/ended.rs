//! Jobs that have ended: kept for a while, or until somebody discards them.

use super::yard::{Mark, Yard, enqueue};
use crate::probe::session;

#[tokio::test]
async fn what_was_done_is_removed_in_time_and_what_was_given_up_stays() {
    let yard = Yard::new().await;
    let ann = yard.ann().await;
    let done = enqueue(&ann, &Mark::new()).await;
    let dead = enqueue(&ann, &Mark::failing(9)).await;
    let cancelled = enqueue(&ann, &Mark::new()).await;
    ann.job_cancel(cancelled).await.unwrap();
    yard.work_off(yard.marker()).await;
    let waits = enqueue(&yard.eve().await, &Mark::new()).await;
    let login = yard.world.test.schema().roles().identity().unwrap();
    let worker = session(&yard.world.test.url(login)).await;
    let tidy = async |keep: i32| {
        let sql = "SELECT partywall.jobs_tidy($1)";
        worker
            .query_one(sql, &[&keep])
            .await
            .unwrap()
            .get::<_, i64>(0)
    };
    assert_eq!(tidy(3_600).await, 0);
    assert_eq!(tidy(0).await, 2);
    let left = format!("jobs.job WHERE id IN ('{dead}', '{waits}')");
    assert_eq!(
        (yard.count(&left).await, yard.count("jobs.job").await),
        (2, 2)
    );
    assert!(!yard.is(dead, "done").await);
    // The identity login sees no job without a scope, and learns no fields by asking.
    let rows = worker.query("SELECT id FROM jobs.job", &[]).await.unwrap();
    assert!(rows.is_empty());
    ann.job_discard(dead).await.unwrap();
    for gone in [done, dead] {
        let found = ann.job(gone).await;
        assert!(
            matches!(found, Err(partywall::jobs::Error::NotFound)),
            "{found:?}"
        );
    }
    assert_eq!(yard.count("jobs.job").await, 1);
}
