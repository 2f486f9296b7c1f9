use std::{fmt, sync::atomic::Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::{
    Error, Refused, RowStream,
    lease::Lease,
    pipeline::{self, Behind, Step},
    run::{Answer, Run},
    session::Session,
    statement::{Job, Trace},
    stream::Holder,
    tx_state::{Pending, TxState},
};
use crate::scope::Scope;

/// A transaction inside one scope.
///
/// Beginning sends nothing: BEGIN and the context ride with the first statement. A transaction that
/// is dropped without [`commit`](Tx::commit) is rolled back; so is one whose future is dropped at
/// any await point, except inside `commit` itself, where the outcome is then unknown. The last
/// statement can carry the COMMIT: [`committing`](Tx::committing).
///
/// A nested transaction is a savepoint. While one is open the outer transaction refuses statements,
/// so that no work lands on the wrong side of the savepoint.
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Tx {
    state: TxState,
    session: Session,
    /// 0 for the transaction itself, 1 for a savepoint in it, and so on.
    level: u32,
    /// The session around this one, where this one is narrower.
    outer: Option<Session>,
    ended: bool,
}

impl Tx {
    pub(super) async fn begin(session: Session, begin: &'static str) -> Result<Self, Error> {
        let lease = session.pool.acquire().await?;
        let state = TxState::new(lease, Pending::Begin(begin, Box::new(session.clone())));
        Ok(Self {
            state,
            session,
            level: 0,
            outer: None,
            ended: false,
        })
    }

    /// The scope, which is absent on the way across.
    #[must_use]
    pub fn scope(&self) -> Option<&Scope> {
        self.session.scope.as_ref()
    }

    /// Begins a nested transaction: a savepoint, which rides with the next statement.
    ///
    /// # Errors
    ///
    /// [`Refused::Nested`] while another nested transaction is open, and [`Error::Aborted`] after a
    /// statement has failed.
    pub fn nested(&self) -> Result<Self, Error> {
        self.nest(self.session.clone(), None)
    }

    /// Begins a nested transaction in a narrower scope. When it ends, however it ends, the outer
    /// scope holds again.
    ///
    /// # Errors
    ///
    /// [`Error::Scope`] when the scope is wider in any dimension: the tenant of an open transaction
    /// cannot be changed. [`Refused::List`] when it holds a list and this transaction does not, and
    /// [`Refused::Across`] on the way across: the login of an open transaction cannot be changed
    /// either. Otherwise as for [`nested`](Tx::nested).
    pub fn narrowed(&self, scope: &Scope) -> Result<Self, Error> {
        let outer = self.session.scope.as_ref().ok_or(Refused::Across)?;
        scope.check_within(outer)?;
        if !outer.has_list() && !scope.names_single_owners() {
            return Err(Refused::List.into());
        }
        let session = Session {
            scope: Some(scope.clone()),
            ..self.session.clone()
        };
        self.nest(session, Some(self.session.clone()))
    }

    fn nest(&self, session: Session, outer: Option<Session>) -> Result<Self, Error> {
        self.check_usable()?;
        let level = self.level + 1;
        self.state.push(level, Pending::Savepoint(level));
        if outer.is_some() {
            self.state
                .push(level, Pending::Narrow(Box::new(session.clone())));
        }
        self.state.depth.store(level, Ordering::Release);
        Ok(Self {
            state: self.state.clone(),
            session,
            level,
            outer,
            ended: false,
        })
    }

    /// Makes the work permanent, or, for a nested transaction, part of the one around it.
    ///
    /// # Errors
    ///
    /// [`Error::Aborted`] when a statement failed before: PostgreSQL would answer COMMIT with a
    /// silent rollback, and this says so. A constraint that is checked at commit is reported here.
    /// With [`Error::Lost`] the outcome is unknown.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.check_innermost()?;
        if self.state.failed.load(Ordering::Acquire) {
            self.end(false).await?;
            return Err(Error::Aborted);
        }
        self.end(true).await
    }

    /// Undoes the work.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`] when the connection is gone, and the work with it.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.check_innermost()?;
        self.end(false).await
    }

    async fn end(&mut self, keep: bool) -> Result<(), Error> {
        let mut slot = self.state.lock().await?;
        let pending = self.state.take(self.level);
        self.ended = true;
        self.state
            .depth
            .store(self.level.saturating_sub(1), Ordering::Release);
        if pending.iter().any(Pending::opens) {
            // This level was never sent, so there is nothing to end.
            if self.level == 0 {
                *slot = None;
            }
            self.state.failed.store(false, Ordering::Release);
            return Ok(());
        }
        let mut steps: Vec<Step> = pending.into_iter().flat_map(Pending::into_steps).collect();
        let lease = slot.as_mut().ok_or(Error::Aborted)?;
        // Answers of a dropped future or stream are still to come, and one may be an error, which
        // turns COMMIT into a rollback without a word. Any statement in between reports it.
        if keep && lease.busy {
            steps.push(Step::Control("SELECT 1"));
        }
        if self.level == 0 {
            steps.push(Step::Control(if keep { "COMMIT" } else { "ROLLBACK" }));
            let ended = pipeline::control(lease, &steps).await;
            lease.open = ended.is_err();
            *slot = None;
            return ended;
        }
        if !keep {
            steps.push(Step::RollbackTo(self.level));
        }
        steps.push(Step::Release(self.level));
        if let Some(outer) = self.outer.as_ref().filter(|_| keep) {
            steps.push(Step::Narrow {
                context: outer.context(),
            });
        }
        let ended = pipeline::control(lease, &steps).await;
        self.state.failed.store(ended.is_err(), Ordering::Release);
        ended
    }

    /// Reads the result of `COPY … TO STDOUT`: the query's rows of this scope, in PostgreSQL's text
    /// or CSV form.
    ///
    /// # Errors
    ///
    /// [`Refused::Copy`] when the statement is not a `COPY … TO STDOUT`, and what PostgreSQL reports.
    pub async fn copy_out(
        &self,
        sql: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let trace = super::statement::trace_copy_out(sql)?;
        let mut slot = self.slot().await?;
        let lease = slot.as_mut().ok_or(Error::Aborted)?;
        lease.open = true;
        lease.dirty |= trace == Trace::Session;
        let work =
            async { pipeline::copy_out(lease, &self.state.take_up_to(self.level), sql).await };
        let (chunks, observed) = self
            .session
            .opened(sql, work)
            .await
            .inspect_err(|error| self.note(error))?;
        let reading = (Box::pin(chunks), Holder::tx(slot, &self.state), observed);
        let chunks = stream::unfold(Some(reading), |reading| async move {
            let (mut chunks, mut holder, mut observed) = reading?;
            match chunks.next().await {
                Some(Ok(chunk)) => {
                    // PostgreSQL sends each row, and a header, in a message of its own.
                    observed.row();
                    Some((Ok(chunk), Some((chunks, holder, observed))))
                }
                // The last of it: the driver would answer with errors for ever.
                Some(Err(error)) => {
                    let error = Error::from(error);
                    observed.failed(&error);
                    holder.finish(true);
                    Some((Err(error), None))
                }
                None => {
                    holder.finish(false);
                    None
                }
            }
        });
        // Whoever reads it may ask again at the end.
        Ok(Box::pin(chunks.fuse()))
    }

    /// Lets a call ride with the next statement: one that fails where what `id` names is no more, and
    /// the transaction with it. Where no statement follows, it rides with COMMIT, unless nothing was
    /// ever sent.
    #[cfg_attr(
        not(feature = "identity"),
        expect(dead_code, reason = "only the `identity` room holds accounts")
    )]
    pub(crate) fn require(&self, call: &'static str, id: Uuid) -> Result<(), Error> {
        self.check_usable()?;
        self.state.push(self.level, Pending::Require(call, id));
        Ok(())
    }

    /// Runs the last statement, with COMMIT behind it.
    pub(super) async fn run_last(self, job: &Job) -> Result<Answer, Error> {
        self.check_outermost()?;
        let mut slot = self.slot().await?;
        let lease = slot.as_mut().ok_or(Error::Aborted)?;
        let tx = (&self.state, self.level);
        let answer = self.session.run_in(lease, tx, job, Behind::Commit).await;
        // The connection goes back before the rows are read.
        *slot = None;
        self.session.answer(answer?)
    }

    /// Like [`run_last`](Self::run_last), with the rows to come.
    pub(super) async fn open_last(self, job: &Job) -> Result<RowStream, Error> {
        self.check_outermost()?;
        // The stream keeps the connection to its end.
        let mut lease = self.slot().await?.take().ok_or(Error::Aborted)?;
        let tx = (&self.state, self.level);
        let opened = self
            .session
            .open_in(&mut lease, tx, job, Behind::Commit)
            .await;
        let (source, observed) = opened?;
        let kinds = self.session.kinds.clone();
        let holder = Holder::Lease(Box::new(lease));
        Ok(RowStream::new(source, observed, kinds, holder))
    }

    fn check_outermost(&self) -> Result<(), Error> {
        if self.level > 0 {
            return Err(Refused::Savepoint.into());
        }
        Ok(())
    }

    /// Remembers that the transaction is lost, where the error came from the server.
    fn note(&self, error: &Error) {
        if error.aborts() {
            self.state.failed.store(true, Ordering::Release);
        }
    }

    /// The connection, once nobody else uses it. A nested transaction may have begun meanwhile.
    async fn slot(&self) -> Result<OwnedMutexGuard<Option<Lease>>, Error> {
        self.check_usable()?;
        let slot = self.state.lock().await?;
        self.check_usable()?;
        Ok(slot)
    }

    /// Refuses what the server would refuse too, and what a statement that could not even be parsed
    /// would otherwise leave half done.
    fn check_usable(&self) -> Result<(), Error> {
        self.check_innermost()?;
        if self.state.failed.load(Ordering::Acquire) {
            return Err(Error::Aborted);
        }
        Ok(())
    }

    fn check_innermost(&self) -> Result<(), Error> {
        self.state.check_innermost(self.level)
    }
}

#[async_trait]
impl Run for Tx {
    async fn run(&self, job: Job) -> Result<Answer, Error> {
        let mut slot = self.slot().await?;
        let lease = slot.as_mut().ok_or(Error::Aborted)?;
        let answer = self
            .session
            .run_in(lease, (&self.state, self.level), &job, Behind::Nothing)
            .await;
        self.session
            .answer(answer.inspect_err(|error| self.note(error))?)
    }

    async fn open(&self, job: Job) -> Result<RowStream, Error> {
        let mut slot = self.slot().await?;
        let lease = slot.as_mut().ok_or(Error::Aborted)?;
        let opened = self
            .session
            .open_in(lease, (&self.state, self.level), &job, Behind::Nothing)
            .await;
        let (source, observed) = opened.inspect_err(|error| self.note(error))?;
        let holder = Holder::tx(slot, &self.state);
        let kinds = self.session.kinds.clone();
        Ok(RowStream::new(source, observed, kinds, holder))
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.ended || self.level == 0 {
            // The lease itself rolls an open transaction back.
            return;
        }
        if self.state.depth.load(Ordering::Acquire) != self.level {
            return;
        }
        self.state.depth.store(self.level - 1, Ordering::Release);
        let pending = self.state.take(self.level);
        if !pending.iter().any(Pending::opens) {
            self.state
                .push(self.level - 1, Pending::RollbackTo(self.level));
        }
        self.state.failed.store(false, Ordering::Release);
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx")
            .field("session", &self.session)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}
