use std::{fmt, future::Future, panic::Location, sync::Arc, time::Duration};

use uuid::Uuid;

use super::{Error, Failure, TenantWork, rounds::Rounds};
use crate::identity::{Identity, TenantInfo};

/// Work for every tenant, one by one or a few at a time. Made by [`Identity::for_each_tenant`].
#[must_use = "call `run`"]
pub struct ForEachTenant<'a> {
    pub(super) identity: &'a Identity,
    pub(super) reason: &'a str,
    pub(super) place: &'static Location<'static>,
    pub(super) parallel: usize,
    pub(super) after: Option<Uuid>,
    pub(super) limit: Duration,
    pub(super) with_suspended: bool,
    pub(super) progress: Box<dyn FnMut(&Progress) + Send + 'a>,
}

/// How far the work for every tenant is, told whenever that of one has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// Which tenant it was.
    pub tenant: TenantInfo,
    /// How it went.
    pub outcome: Outcome,
    /// For how many the work is done.
    pub done: u64,
    /// For how many it failed.
    pub failed: u64,
    /// How many were skipped.
    pub skipped: u64,
    /// How many tenants there were at the beginning.
    pub total: u64,
    /// The work for this tenant and all before it has ended: [`ForEachTenant::after`] goes on from here.
    pub resume_after: Option<Uuid>,
}

/// How the work for one tenant went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// The tenant is suspended or deleted, and no work was done.
    Skipped,
}

/// What came of the work for every tenant.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// For how many tenants it is done.
    pub done: u64,
    /// How many were skipped: they are suspended or deleted.
    pub skipped: u64,
    /// Which tenants it failed for, and why.
    pub failed: Vec<TenantFailure>,
    /// Why tenants are left that nobody came to: the list of them could not be read further.
    pub stopped: Option<Error>,
    /// The work for this tenant and all before it has ended.
    pub resume_after: Option<Uuid>,
}

/// A tenant whose work failed, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct TenantFailure {
    /// The tenant.
    pub tenant: TenantInfo,
    /// What went wrong.
    pub error: Failure,
}

impl Report {
    /// Whether the work is done for every tenant that was not skipped.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.stopped.is_none()
    }
}

impl Identity {
    /// Does something for every tenant: each in its own scope, and no other's failure its own.
    ///
    /// The reason is written to `partywall.crossing` once, with the place of this call, since it takes
    /// the way across to know which tenants there are. Nothing else is read that way.
    ///
    /// ```no_run
    /// # use partywall::{Sql, identity::Identity, jobs::{Error, TenantWork}};
    /// # async fn nightly(identity: &Identity) -> Result<(), Error> {
    /// let report = identity
    ///     .for_each_tenant("the nightly invoices")
    ///     .parallel(4)
    ///     .progress(|so_far| println!("{} of {}", so_far.done, so_far.total))
    ///     .run(|work: TenantWork| async move {
    ///         let tx = work.begin().await?;
    ///         tx.execute_sql("UPDATE invoice SET state = 'due' WHERE state = 'open'", []).await?;
    ///         tx.commit().await?;
    ///         Ok(())
    ///     })
    ///     .await?;
    /// for failed in &report.failed {
    ///     eprintln!("{}: {}", failed.tenant.slug, failed.error);
    /// }
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn for_each_tenant<'a>(&'a self, reason: &'a str) -> ForEachTenant<'a> {
        ForEachTenant {
            identity: self,
            reason,
            place: Location::caller(),
            parallel: 1,
            after: None,
            limit: Duration::MAX,
            with_suspended: false,
            progress: Box::new(|_| {}),
        }
    }
}

impl<'a> ForEachTenant<'a> {
    /// For how many tenants at once: one.
    pub fn parallel(mut self, tenants: usize) -> Self {
        self.parallel = tenants.max(1);
        self
    }

    /// Goes on where earlier work has [stopped](Report::resume_after). Tenants are taken in the order of
    /// their ids.
    pub fn after(mut self, tenant: Uuid) -> Self {
        self.after = Some(tenant);
        self
    }

    /// How long the work for one tenant may take. It is dropped then, and has failed.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Does not skip suspended tenants. Deleted ones it always does.
    pub fn with_suspended(mut self) -> Self {
        self.with_suspended = true;
        self
    }

    /// Tells how far it is, each time that the work for a tenant has ended.
    pub fn progress(mut self, progress: impl FnMut(&Progress) + Send + 'a) -> Self {
        self.progress = Box::new(progress);
        self
    }

    /// Does the work, for each tenant in a task of its own, in whose [ambient](crate::Scope::current) scope the
    /// tenant is. An error or a panic of one is collected, and the others go on.
    ///
    /// When this future is dropped, the work is dropped where it stands: open transactions are rolled
    /// back, and no further tenant is begun.
    ///
    /// # Errors
    ///
    /// Without a reason or a login for the way across, and what keeps the list of tenants from being
    /// read at all.
    pub async fn run<F, W>(self, work: F) -> Result<Report, Error>
    where
        F: Fn(TenantWork) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let rounds = Rounds::new(self).await?;
        Ok(rounds.go(Arc::new(work)).await)
    }
}

impl fmt::Debug for ForEachTenant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForEachTenant")
            .field("reason", &self.reason)
            .field("parallel", &self.parallel)
            .finish_non_exhaustive()
    }
}
