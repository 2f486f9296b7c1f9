//! What a statement runs in: a login's pool, the context it enters, and how its columns convert.

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value as Json};
use tracing::Instrument;

use super::{
    Error,
    conn::{Prepared, plan},
    context::Context,
    lease::Lease,
    observed::Observed,
    pipeline::{self, Behind, OpenStream, Rows, Step},
    pool::Pool,
    run::Answer,
    statement::Job,
    tx_state::TxState,
};
use crate::{
    schema::Seal,
    scope::{Scope, Values},
    value::Kinds,
};

/// Where statements run. Cheap to clone.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) pool: Pool,
    pub(super) kinds: Arc<Kinds>,
    pub(super) seal: Arc<Seal>,
    /// Absent on the way across.
    pub(super) scope: Option<Scope>,
    /// How single statements begin their transaction.
    pub(super) begin: &'static str,
}

impl Session {
    /// The step that enters the scope. Made anew for each transaction, since a sealed context expires.
    pub(super) fn enter(&self) -> Step {
        let statement_ms = self.pool.shared.limits.statement.map_or(0, |limit| {
            i32::try_from(limit.as_millis()).unwrap_or(i32::MAX)
        });
        Step::Enter {
            context: self.context(),
            statement_ms,
        }
    }

    /// The context text for the scope, sealed where the seal is on.
    pub(super) fn context(&self) -> Context {
        let Some(scope) = &self.scope else {
            return String::new().into();
        };
        let mut json = Map::new();
        for selection in scope.selections() {
            let dimension = selection.dimension();
            match selection.values() {
                Values::One(value) => {
                    json.insert(dimension.to_owned(), value.to_string().into());
                }
                // A list of one is one value, which the application's policies read as well: a
                // transaction of theirs may have been narrowed to it.
                Values::List(list) if list.len() == 1 => json.extend(
                    list.iter()
                        .map(|value| (dimension.to_owned(), value.to_string().into())),
                ),
                Values::List(list) => {
                    let list = list
                        .iter()
                        .map(|value| Json::String(value.to_string()))
                        .collect();
                    json.insert(format!("{dimension}[]"), Json::Array(list));
                }
            }
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let expires = (now + Seal::LIFETIME).as_secs();
        self.seal
            .apply(&Json::Object(json).to_string(), expires)
            .into()
    }

    /// Runs a statement in a transaction of its own, in one flush.
    pub(super) async fn run_alone(&self, lease: &mut Lease, job: &Job) -> Result<Rows, Error> {
        let work = async {
            let prepared = pipeline::prepare(lease, &self.kinds, job).await?;
            let before = [Step::Control(self.begin), self.enter()];
            pipeline::run(lease, prepared, &before, job, Behind::Commit).await
        };
        self.observed(&job.sql, work, |rows| rows.affected).await
    }

    /// Runs a statement inside an open transaction, behind what is pending there, and ends the
    /// transaction with it where COMMIT goes behind it.
    pub(super) async fn run_in(
        &self,
        lease: &mut Lease,
        (tx, level): (&TxState, u32),
        job: &Job,
        behind: Behind,
    ) -> Result<Rows, Error> {
        let work = async {
            let prepared = self.prepare_in(lease, (tx, level), job).await?;
            // Nothing is awaited between here and the sending: whoever drops this future either
            // leaves what is pending where it is, or has sent all of it.
            lease.open = true;
            let answer = pipeline::run(lease, prepared, &tx.take_up_to(level), job, behind).await;
            lease.open = behind == Behind::Nothing;
            answer
        };
        self.observed(&job.sql, work, |rows| rows.affected).await
    }

    /// Like [`run_alone`](Self::run_alone), with the rows to come.
    pub(super) async fn open_alone(
        &self,
        lease: &mut Lease,
        job: &Job,
    ) -> Result<(OpenStream, Observed), Error> {
        let work = async {
            let prepared = pipeline::prepare(lease, &self.kinds, job).await?;
            let before = [Step::Control(self.begin), self.enter()];
            pipeline::open_stream(lease, prepared, &before, job, Behind::Commit).await
        };
        self.opened(&job.sql, work).await
    }

    /// Like [`run_in`](Self::run_in), with the rows to come.
    pub(super) async fn open_in(
        &self,
        lease: &mut Lease,
        (tx, level): (&TxState, u32),
        job: &Job,
        behind: Behind,
    ) -> Result<(OpenStream, Observed), Error> {
        let work = async {
            let prepared = self.prepare_in(lease, (tx, level), job).await?;
            lease.open = true;
            let steps = tx.take_up_to(level);
            let opened = pipeline::open_stream(lease, prepared, &steps, job, behind).await;
            lease.open = behind == Behind::Nothing;
            opened
        };
        self.opened(&job.sql, work).await
    }

    async fn prepare_in(
        &self,
        lease: &mut Lease,
        (tx, level): (&TxState, u32),
        job: &Job,
    ) -> Result<Prepared, Error> {
        // The server parses a new statement before what rides with its execution. Inside an open
        // transaction a syntax error would then strike before the savepoint that should contain it.
        if lease.open && tx.has_pending(level) && !lease.conn()?.knows(job) {
            pipeline::control(lease, &tx.take_up_to(level)).await?;
        }
        let prepared = pipeline::prepare(lease, &self.kinds, job).await?;
        // A nested transaction may have begun meanwhile.
        tx.check_innermost(level)?;
        Ok(prepared)
    }

    /// Puts a span around the work and tells the metrics.
    pub(super) async fn observed<T>(
        &self,
        sql: &str,
        work: impl Future<Output = Result<T, Error>>,
        rows: impl FnOnce(&T) -> u64,
    ) -> Result<T, Error> {
        let (done, mut observed) = self.opened(sql, work).await?;
        observed.answered(rows(&done));
        Ok(done)
    }

    /// Puts a span around the work. Whoever reads the rows to come counts them, and drops what
    /// observes at their end.
    pub(super) async fn opened<T>(
        &self,
        sql: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<(T, Observed), Error> {
        let mut observed = Observed::new(self.pool.shared.clone(), self.scope.as_ref(), sql);
        match work.instrument(observed.span()).await {
            Ok(opened) => {
                observed.answered(0);
                Ok((opened, observed))
            }
            Err(error) => {
                observed.failed(&error);
                Err(error)
            }
        }
    }

    /// Converts the rows to what SeaORM reads.
    pub(super) fn answer(&self, rows: Rows) -> Result<Answer, Error> {
        let affected = rows.affected;
        let Some(first) = rows.rows.first() else {
            return Ok(Answer {
                rows: Vec::new(),
                affected,
            });
        };
        let plan = match rows.plan {
            Some(plan) => plan,
            None => Arc::new(plan(first.columns(), &self.kinds)?),
        };
        let rows = rows
            .rows
            .iter()
            .map(|row| plan.query_result(row))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Answer { rows, affected })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("pool", &self.pool)
            .field("scope", &self.scope)
            .finish()
    }
}
