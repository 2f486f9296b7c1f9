use async_trait::async_trait;

use super::{
    Error, RowStream, Tx,
    lease::Lease,
    run::{Answer, Run},
    session::Session,
    statement::Job,
    stream::Holder,
};
use crate::scope::Scope;

/// A scope's view of the database, for single statements. Made by [`Db::scoped`](super::Db::scoped).
///
/// Each statement runs in a transaction of its own, atomically with its context, in one round trip.
/// A statement whose future is dropped while it runs has an unknown outcome, as any statement does
/// whose answer was not read; its connection is cleaned before anyone else gets it.
#[derive(Clone, Debug)]
pub struct ScopedDb {
    session: Result<Session, super::NoLogin>,
}

/// The level is spelt out so that a session default cannot change it.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE";
pub(super) const BEGIN_READ_ONLY: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY NOT DEFERRABLE";

impl ScopedDb {
    pub(super) fn new(session: Result<Session, super::NoLogin>) -> Self {
        Self { session }
    }

    /// The same view for reading: PostgreSQL refuses a statement that writes, with SQLSTATE 25006.
    /// A transaction that is begun from here says for itself whether it writes.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        if let Ok(session) = &mut self.session {
            session.begin = BEGIN_READ_ONLY;
        }
        self
    }

    /// The scope that statements run in.
    #[must_use]
    pub fn scope(&self) -> Option<&Scope> {
        self.session.as_ref().ok()?.scope.as_ref()
    }

    pub(super) fn session(&self) -> Result<&Session, Error> {
        self.session.as_ref().map_err(|&missing| missing.into())
    }

    pub(super) async fn begin_with(&self, begin: &'static str) -> Result<Tx, Error> {
        Tx::begin(self.session()?.clone(), begin).await
    }
}

#[async_trait]
impl Run for ScopedDb {
    async fn run(&self, job: Job) -> Result<Answer, Error> {
        let session = self.session()?;
        let mut lease = session.pool.acquire().await?;
        let answer = session.run_alone(&mut lease, &job).await;
        drop(lease);
        session.answer(answer?)
    }

    async fn open(&self, job: Job) -> Result<RowStream, Error> {
        let session = self.session()?;
        let mut lease: Lease = session.pool.acquire().await?;
        let (source, observed) = session.open_alone(&mut lease, &job).await?;
        Ok(RowStream::new(
            source,
            observed,
            session.kinds.clone(),
            Holder::Lease(Box::new(lease)),
        ))
    }
}
