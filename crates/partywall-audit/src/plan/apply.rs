use std::time::Duration;

use tokio_postgres::{Client, error::SqlState};

use super::{
    ApplyError, Plan, Step,
    script::{INSTANT, LOCK},
    shape::Shape,
};
use crate::AuditError;

/// How often a step tries for its lock.
const TRIES: u32 = 9;
/// How long it lets the others go first, the first time; each time twice as long, up to [`LONGEST`].
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(4);
/// Who holds this advisory lock applies a plan: `partywal` in ASCII.
const LOCK_KEY: i64 = 0x7061_7274_7977_616c;

/// What became of a step.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Applying<'a> {
    /// It begins: its number from 1, and of how many.
    Step(usize, usize, &'a Step),
    /// It was done before.
    Skipped(&'a Step),
    /// A batch of it is done: how many rows so far.
    Batch(&'a Step, u64),
    /// Others hold the lock that it needs: how often it was tried.
    Waiting(&'a Step, u32),
    /// It is done.
    Done(&'a Step),
}

/// Applies a plan; steps that were done before are skipped.
///
/// What is done is read from the catalogues and nowhere else, so that a plan can be applied again after
/// whatever ended it: an error, a lost connection, a dropped future. A step is done whole or not at all; of an
/// index that was being built an invalid one may stay behind, which the next run drops.
///
/// One session at a time: an advisory lock of the session keeps others out, so the connection must not lead
/// through a pooler in transaction mode.
///
/// # Errors
///
/// [`ApplyError`], after which the database is as the last whole step left it.
pub async fn apply(
    client: &mut Client,
    plan: &Plan,
    see: &mut (dyn FnMut(Applying<'_>) + Send),
) -> Result<(), ApplyError> {
    if !plan.violations.is_empty() {
        return Err(ApplyError::Violations(plan.violations.clone()));
    }
    let doing = || AuditError::doing("begin to apply the plan");
    let alone = client
        .query_one("SELECT pg_catalog.pg_try_advisory_lock($1)", &[&LOCK_KEY])
        .await
        .and_then(|row| row.try_get::<_, bool>(0))
        .map_err(doing())?;
    if !alone {
        return Err(ApplyError::Busy);
    }
    let outcome = run(client, plan, see).await;
    // On a connection that broke, the lock went with it.
    let ended = client
        .batch_execute(&format!(
            "RESET search_path; RESET lock_timeout; RESET statement_timeout; \
             SELECT pg_catalog.pg_advisory_unlock({LOCK_KEY})"
        ))
        .await;
    outcome?;
    ended.map_err(AuditError::doing("end applying the plan"))?;
    Ok(())
}

async fn run(
    client: &mut Client,
    plan: &Plan,
    see: &mut (dyn FnMut(Applying<'_>) + Send),
) -> Result<(), ApplyError> {
    client
        .batch_execute(
            "SET search_path = pg_catalog; SET lock_timeout = 0; SET statement_timeout = 0",
        )
        .await
        .map_err(AuditError::doing("begin to apply the plan"))?;
    let now = Shape::read(client).await?;
    if let Some(difference) = plan.shape.difference(&now, &plan.touched) {
        return Err(ApplyError::Surprise(difference));
    }
    let of = plan.steps.len();
    for (number, step) in (1_usize..).zip(&plan.steps) {
        see(Applying::Step(number, of, step));
        if is_done(client, step).await? {
            see(Applying::Skipped(step));
            continue;
        }
        let mut tries = 1;
        while let Err(error) = once(client, step, see).await {
            let gave_way = [
                SqlState::LOCK_NOT_AVAILABLE,
                SqlState::T_R_DEADLOCK_DETECTED,
            ];
            if !error.code().is_some_and(|code| gave_way.contains(code)) {
                return Err(ApplyError::Step {
                    step: step.name.clone(),
                    source: error,
                });
            }
            see(Applying::Waiting(step, tries));
            if tries == TRIES {
                return Err(ApplyError::Locked {
                    step: step.name.clone(),
                    tries,
                });
            }
            tokio::time::sleep(LONGEST.min(PAUSE * 2_u32.saturating_pow(tries - 1))).await;
            tries += 1;
        }
        // Whether all rows are filled is known by the next step's check.
        if !step.repeat && !is_done(client, step).await? {
            return Err(ApplyError::Surprise(format!(
                "step `{}` ran, and its effect is not there",
                step.name
            )));
        }
        see(Applying::Done(step));
    }
    Ok(())
}

async fn is_done(client: &Client, step: &Step) -> Result<bool, AuditError> {
    client
        .query_one(&format!("SELECT coalesce(({}), false)", step.done), &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(AuditError::doing("find out whether a step is done"))
}

async fn once(
    client: &mut Client,
    step: &Step,
    see: &mut (dyn FnMut(Applying<'_>) + Send),
) -> Result<(), tokio_postgres::Error> {
    if step.repeat {
        return batches(client, step, see).await;
    }
    if step.transactional {
        let transaction = client.transaction().await?;
        let limit = if step.long { "0" } else { INSTANT };
        transaction
            .batch_execute(&format!(
                "SET LOCAL lock_timeout = '{LOCK}'; SET LOCAL statement_timeout = '{limit}'"
            ))
            .await?;
        transaction.batch_execute(&step.sql).await?;
        return transaction.commit().await;
    }
    if let Some(index) = &step.index {
        let invalid = "SELECT EXISTS (SELECT FROM pg_catalog.pg_index \
                       WHERE indexrelid = pg_catalog.to_regclass($1) AND NOT (indisvalid AND indisready))";
        let left: bool = client
            .query_one(invalid, &[&index.to_string()])
            .await?
            .try_get(0)?;
        if left {
            client
                .batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {index}"))
                .await?;
        }
    }
    client.batch_execute(step.sql.trim_end_matches(';')).await
}

/// Fills until no row is left. Rows that others hold are passed over, and come up again.
async fn batches(
    client: &mut Client,
    step: &Step,
    see: &mut (dyn FnMut(Applying<'_>) + Send),
) -> Result<(), tokio_postgres::Error> {
    let mut all = 0;
    loop {
        let transaction = client.transaction().await?;
        transaction
            .batch_execute(&format!("SET LOCAL lock_timeout = '{LOCK}'"))
            .await?;
        let rows = transaction
            .execute(step.sql.trim_end_matches(';'), &[])
            .await?;
        transaction.commit().await?;
        if rows > 0 {
            all += rows;
            see(Applying::Batch(step, all));
        } else if client.query_one(&step.left, &[]).await?.try_get(0)? {
            tokio::time::sleep(PAUSE).await;
        } else {
            return Ok(());
        }
    }
}
