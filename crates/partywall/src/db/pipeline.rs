//! The one place where statements are sent.
//!
//! Everything that belongs together goes out in one flush: the requests are queued on the
//! connection in order on the first poll, before anything is awaited, so the server receives all of
//! them or, when the future is dropped before that poll, none. A dropped future can therefore never
//! separate a statement from its context or from its COMMIT.
//!
//! `join`, never `try_join`: every answer is awaited even when an earlier one is an error, because
//! the later requests have been sent all the same.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{
    TryStreamExt,
    future::{join_all, join3, ready},
};
use tokio_postgres::{
    Client, CopyOutStream, Row, RowStream, SimpleQueryStream, Statement, error::SqlState,
    types::Type,
};
use uuid::Uuid;

use super::{
    Error,
    conn::Prepared,
    context::Context,
    lease::Lease,
    pool::ENTER,
    statement::{Job, Trace},
};
use crate::value::{Kinds, Param, RowPlan};

/// What goes before or after a statement in its flush.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Transaction control: fixed text, never a value.
    Control(&'static str),
    /// Opens a level. Each has a savepoint of its own name: going back to one that was never made
    /// is an error then, where one name for all would go back to that of the level around it.
    Savepoint(u32),
    /// Undoes a level.
    RollbackTo(u32),
    /// Closes a level.
    Release(u32),
    /// The context, as a bound value, and the time a statement may take in milliseconds.
    Enter { context: Context, statement_ms: i32 },
    /// A narrower context inside the transaction.
    Narrow { context: Context },
    /// A call that fails where what the id names is no more: fixed text, the id as a bound value. It
    /// fails the transaction, so what is sent behind it has no effect.
    Require { call: &'static str, id: Uuid },
}

/// What is sent behind a statement in its flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing: the transaction goes on.
    Nothing,
    /// COMMIT, which the server makes a rollback where anything before it has failed.
    Commit,
}

impl Behind {
    /// COMMIT would keep what came before a statement that the driver could not send at all, say for
    /// more values than the protocol has numbers for.
    fn text(self, unsent: &AtomicBool) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Commit if unsent.load(Ordering::Relaxed) => Some("ROLLBACK"),
            Self::Commit => Some("COMMIT"),
        }
    }

    async fn send(self, client: &Client, unsent: &AtomicBool) -> Result<(), tokio_postgres::Error> {
        match self.text(unsent) {
            Some(sql) => client.batch_execute(sql).await,
            None => Ok(()),
        }
    }

    async fn open(
        self,
        client: &Client,
        unsent: &AtomicBool,
    ) -> Result<Option<SimpleQueryStream>, tokio_postgres::Error> {
        match self.text(unsent) {
            Some(sql) => client.simple_query_raw(sql).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The answer to a statement.
pub(crate) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) affected: u64,
    /// Absent where nothing was prepared: then the first row tells.
    pub(super) plan: Option<Arc<RowPlan>>,
}

impl Step {
    async fn send(
        &self,
        client: &Client,
        enter: Option<&tokio_postgres::Statement>,
    ) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::Control(sql) => client.batch_execute(sql).await,
            Self::Savepoint(level) => {
                client
                    .batch_execute(&format!("SAVEPOINT partywall_{level}"))
                    .await
            }
            Self::RollbackTo(level) => {
                client
                    .batch_execute(&format!("ROLLBACK TO SAVEPOINT partywall_{level}"))
                    .await
            }
            Self::Release(level) => {
                client
                    .batch_execute(&format!("RELEASE SAVEPOINT partywall_{level}"))
                    .await
            }
            Self::Enter {
                context,
                statement_ms,
            } => match enter {
                Some(enter) => client
                    .execute(enter, &[context, statement_ms])
                    .await
                    .map(drop),
                None => client
                    .execute_typed(ENTER, &[(context, Type::TEXT), (statement_ms, Type::INT4)])
                    .await
                    .map(drop),
            },
            Self::Narrow { context } => client
                .execute_typed("SELECT partywall.narrow($1)", &[(context, Type::TEXT)])
                .await
                .map(drop),
            Self::Require { call, id } => client
                .execute_typed(call, &[(id, Type::UUID)])
                .await
                .map(drop),
        }
    }
}

/// Sends a statement between its steps and collects its rows.
///
/// # Errors
///
/// The first error in the order of sending: what follows a failed request in a transaction fails
/// because of it.
pub(super) async fn run(
    lease: &mut Lease,
    prepared: Prepared,
    before: &[Step],
    job: &Job,
    behind: Behind,
) -> Result<Rows, Error> {
    lease.busy = true;
    let limit = client_side_limit(lease, before);
    let conn = lease.conn()?;
    let (client, enter) = (&conn.client, conn.enter.as_ref());
    let unsent = AtomicBool::new(false);
    let statement = async {
        let stream = send(client, &prepared, job, &unsent).await?;
        collect(stream).await
    };
    let everything = join3(
        join_all(before.iter().map(|step| step.send(client, enter))),
        statement,
        behind.send(client, &unsent),
    );
    let (before, rows, behind) = answered(limit, everything).await?;
    lease.busy = false;
    let outcome = before
        .into_iter()
        .collect::<Result<(), _>>()
        .and(rows)
        .and_then(|rows| behind.map(|()| rows));
    match outcome {
        Ok((rows, affected)) => Ok(Rows {
            rows,
            affected,
            plan: prepared.plan,
        }),
        Err(error) => Err(failed(lease, job, error)),
    }
}

/// Sends steps alone: the end of a transaction, a savepoint.
pub(super) async fn control(lease: &mut Lease, steps: &[Step]) -> Result<(), Error> {
    lease.busy = true;
    let limit = client_side_limit(lease, steps);
    let conn = lease.conn()?;
    let (client, enter) = (&conn.client, conn.enter.as_ref());
    let everything = join_all(steps.iter().map(|step| step.send(client, enter)));
    let answers = answered(limit, everything).await?;
    lease.busy = false;
    let outcome = answers.into_iter().collect::<Result<(), _>>();
    outcome.map_err(|error| lease.failed(error))
}

/// Sends a statement between its steps and returns at its first answer, with the rows to come and
/// the answer to what is behind it, which has been sent all the same.
///
/// The lease stays busy: whoever reads the stream says when it is not.
pub(super) async fn open_stream(
    lease: &mut Lease,
    prepared: Prepared,
    before: &[Step],
    job: &Job,
    behind: Behind,
) -> Result<OpenStream, Error> {
    lease.busy = true;
    let limit = client_side_limit(lease, before);
    let conn = lease.conn()?;
    let (client, enter) = (&conn.client, conn.enter.as_ref());
    let unsent = AtomicBool::new(false);
    let everything = join3(
        join_all(before.iter().map(|step| step.send(client, enter))),
        send(client, &prepared, job, &unsent),
        behind.open(client, &unsent),
    );
    let (before, stream, behind) = answered(limit, everything).await?;
    let outcome = before.into_iter().collect::<Result<(), _>>().and(stream);
    let end = behind?.map(Box::pin);
    match outcome {
        Ok(rows) => Ok(OpenStream {
            rows: Box::pin(rows),
            plan: prepared.plan,
            end,
        }),
        Err(error) => {
            // Reads the answers to the end, so that the session is at rest.
            if let Some(end) = end {
                let _ = end.try_for_each(|_| ready(Ok(()))).await;
            }
            lease.busy = false;
            Err(failed(lease, job, error))
        }
    }
}

/// Begins the result of a `COPY … TO STDOUT`. The lease stays busy, as with a stream.
pub(super) async fn copy_out(
    lease: &mut Lease,
    steps: &[Step],
    sql: &str,
) -> Result<CopyOutStream, Error> {
    control(lease, steps).await?;
    lease.busy = true;
    let limit = client_side_limit(lease, &[]);
    let conn = lease.conn()?;
    let starting = async {
        if !conn.is_named() {
            // The driver gives the statement a name all the same.
            conn.client.batch_execute("DEALLOCATE ALL").await?;
        }
        conn.client.copy_out(sql).await
    };
    let started = answered(limit, starting).await?;
    lease.busy = started.is_ok();
    started.map_err(|error| lease.failed(error))
}

/// Rows on their way.
pub(super) struct OpenStream {
    pub(super) rows: Pin<Box<RowStream>>,
    pub(super) plan: Option<Arc<RowPlan>>,
    /// The answer to what was sent behind the statement.
    pub(super) end: Option<Pin<Box<SimpleQueryStream>>>,
}

/// Makes a statement ready. Nothing of it is executed.
pub(super) async fn prepare(
    lease: &mut Lease,
    kinds: &Kinds,
    job: &Job,
) -> Result<Prepared, Error> {
    // Preparing sends and receives, so a future dropped here leaves answers outstanding as well.
    let was_busy = std::mem::replace(&mut lease.busy, true);
    let at_rest = !lease.open;
    let limit = client_side_limit(lease, &[]);
    let prepared = answered(limit, lease.conn()?.prepare(job, kinds, at_rest)).await?;
    lease.busy = was_busy;
    lease.dirty |= match &prepared {
        Ok(prepared) => prepared.trace == Trace::Session,
        // As in `Lease::failed`.
        Err(error) => matches!(error, Error::Timeout),
    };
    prepared
}

/// Makes a statement ready for one use, in a lease at rest.
pub(super) async fn describe(lease: &mut Lease, sql: &str) -> Result<Statement, Error> {
    lease.busy = true;
    let limit = client_side_limit(lease, &[]);
    let described = answered(limit, lease.conn()?.describe(sql)).await?;
    lease.busy = false;
    described
}

/// Sends a statement. On its first poll it says whether it could not be sent.
async fn send(
    client: &Client,
    prepared: &Prepared,
    job: &Job,
    unsent: &AtomicBool,
) -> Result<RowStream, tokio_postgres::Error> {
    let sent = match &prepared.statement {
        Some(statement) => {
            client
                .query_raw(statement, job.values.iter().map(Param))
                .await
        }
        None => {
            let typed = job
                .values
                .iter()
                .map(Param)
                .zip(prepared.types.iter().cloned());
            client.query_typed_raw(&job.sql, typed).await
        }
    };
    sent.inspect_err(|_| unsent.store(true, Ordering::Relaxed))
}

async fn collect(stream: RowStream) -> Result<(Vec<Row>, u64), tokio_postgres::Error> {
    let mut stream = pin!(stream);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
    }
    Ok((rows, stream.rows_affected().unwrap_or_default()))
}

/// Waits for an answer, but not for ever. What is not answered in time leaves the lease busy.
async fn answered<F: Future>(limit: Option<Duration>, future: F) -> Result<F::Output, Error> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, future)
            .await
            .map_err(|_| Error::Unanswered),
        None => Ok(future.await),
    }
}

/// A margin above the server's own limit: the server's answer is the better one. The limit is for
/// each statement of a flush, and what is required may have to wait for a lock.
fn client_side_limit(lease: &Lease, before: &[Step]) -> Option<Duration> {
    let limit = lease.shared().limits.statement?;
    let required = before
        .iter()
        .filter(|step| matches!(step, Step::Require { .. }));
    Some(required.fold(limit, |sum, _| sum + limit) + Duration::from_secs(2))
}

/// Translates an error, and forgets a prepared statement that the server no longer accepts.
fn failed(lease: &mut Lease, job: &Job, error: tokio_postgres::Error) -> Error {
    const OUTGROWN: [SqlState; 2] = [
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INVALID_SQL_STATEMENT_NAME,
    ];
    if error.code().is_some_and(|code| OUTGROWN.contains(code))
        && let Ok(conn) = lease.conn()
    {
        conn.forget(job);
    }
    lease.failed(error)
}
