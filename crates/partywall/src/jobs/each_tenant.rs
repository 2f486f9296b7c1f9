use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::Future,
    panic::Location,
    sync::Arc,
    time::Duration,
};

use sea_orm::FromQueryResult;
use tokio::task::{Id, JoinSet};
use uuid::Uuid;

use super::{Error, Failure, TenantWork, attempt::guarded, backoff::jittered};
use crate::{
    db::{Across, Sql as _},
    identity::{Identity, TenantInfo},
    scope::{Scope, TENANT},
};

/// Work for every tenant, one by one or a few at a time. Made by [`Identity::for_each_tenant`].
#[must_use = "call `run`"]
pub struct ForEachTenant<'a> {
    identity: &'a Identity,
    reason: &'a str,
    place: &'static Location<'static>,
    parallel: usize,
    after: Option<Uuid>,
    limit: Duration,
    with_suspended: bool,
    progress: Box<dyn FnMut(&Progress) + Send + 'a>,
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

/// How many tenants are read at once, whatever there are.
const PAGE: i64 = 500;

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

    /// Does the work, for each tenant in a task of its own, in whose [ambient](Scope::current) scope the
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
        let db = self
            .identity
            .db()
            .across_at(self.reason, self.place)
            .await?;
        let after = self.after.unwrap_or(Uuid::nil());
        let total: i64 = db
            .scalar(
                "SELECT count(*) FROM identity.tenant WHERE id > $1",
                [after.into()],
            )
            .await?;
        let mut rounds = Rounds {
            tenants: Tenants::new(db, after).await?,
            total: u64::try_from(total).unwrap_or_default(),
            running: JoinSet::new(),
            tasks: HashMap::new(),
            begun: VecDeque::new(),
            report: Report {
                resume_after: self.after,
                ..Report::default()
            },
            options: self,
        };
        rounds.go(Arc::new(work)).await;
        Ok(rounds.report)
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

/// The tenants, a page at a time.
struct Tenants {
    db: Across,
    page: VecDeque<TenantRow>,
    last: Uuid,
    is_last_page: bool,
}

#[derive(FromQueryResult)]
struct TenantRow {
    id: Uuid,
    slug: String,
    name: String,
    seats: Option<i32>,
}

impl Tenants {
    async fn new(db: Across, after: Uuid) -> Result<Self, Error> {
        let mut tenants = Self {
            db,
            page: VecDeque::new(),
            last: after,
            is_last_page: false,
        };
        tenants.read().await?;
        Ok(tenants)
    }

    async fn read(&mut self) -> Result<(), Error> {
        let rows: Vec<TenantRow> = self
            .db
            .all(
                "SELECT id, slug, name, seats FROM identity.tenant WHERE id > $1 ORDER BY id LIMIT $2",
                [self.last.into(), PAGE.into()],
            )
            .await?;
        self.is_last_page = i64::try_from(rows.len()) != Ok(PAGE);
        if let Some(last) = rows.last() {
            self.last = last.id;
        }
        self.page = rows.into();
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<TenantInfo>, Error> {
        let mut wait = Duration::from_millis(200);
        while self.page.is_empty() && !self.is_last_page {
            match self.read().await {
                Ok(()) => {}
                Err(error) if wait > Duration::from_secs(10) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the tenants cannot be read: trying again");
                    tokio::time::sleep(jittered(wait)).await;
                    wait *= 4;
                }
            }
        }
        let row = self.page.pop_front();
        Ok(row.map(|row| TenantInfo {
            id: row.id,
            slug: row.slug,
            name: row.name,
            seats: row.seats,
        }))
    }
}

struct Rounds<'a> {
    options: ForEachTenant<'a>,
    tenants: Tenants,
    total: u64,
    running: JoinSet<Result<Outcome, Failure>>,
    tasks: HashMap<Id, TenantInfo>,
    /// The tenants that were begun, in that order, from the first one that has not ended.
    begun: VecDeque<(Uuid, bool)>,
    report: Report,
}

impl Rounds<'_> {
    async fn go<F, W>(&mut self, work: Arc<F>)
    where
        F: Fn(TenantWork) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let mut is_over = false;
        loop {
            while !is_over && self.running.len() < self.options.parallel {
                match self.tenants.next().await {
                    Ok(Some(tenant)) => self.begin(tenant, &work),
                    Ok(None) => is_over = true,
                    Err(error) => {
                        self.report.stopped = Some(error);
                        is_over = true;
                    }
                }
            }
            match self.running.join_next_with_id().await {
                None => return,
                Some(Ok((task, outcome))) => self.ended(task, outcome),
                Some(Err(stopped)) => {
                    let task = stopped.id();
                    self.ended(task, Err(Failure::retry(stopped)));
                }
            }
        }
    }

    fn begin<F, W>(&mut self, tenant: TenantInfo, work: &Arc<F>)
    where
        F: Fn(TenantWork) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let (identity, id) = (self.options.identity.clone(), tenant.id);
        let (limit, with_suspended) = (self.options.limit, self.options.with_suspended);
        let reason = self.options.reason.to_owned();
        let work = work.clone();
        let task = self.running.spawn(async move {
            // Behind the list of tenants may lie hours: how is this one now?
            let Some(tenant) = open_tenant(&identity, id, with_suspended).await? else {
                return Ok(Outcome::Skipped);
            };
            let scope = Scope::trusted([TENANT.is(id)]);
            let its = TenantWork::new(identity, tenant, scope.clone(), reason);
            // The closure itself may panic, before it has made a future.
            let work = async move { work(its).await };
            scope.enter(guarded(limit, work)).await??;
            Ok(Outcome::Done)
        });
        self.begun.push_back((id, false));
        self.tasks.insert(task.id(), tenant);
    }

    fn ended(&mut self, task: Id, outcome: Result<Outcome, Failure>) {
        let Some(tenant) = self.tasks.remove(&task) else {
            return;
        };
        for (begun, has_ended) in &mut self.begun {
            *has_ended |= *begun == tenant.id;
        }
        while let Some((ended, true)) = self.begun.front() {
            self.report.resume_after = Some(*ended);
            self.begun.pop_front();
        }
        let outcome = match outcome {
            Ok(outcome) => {
                match outcome {
                    Outcome::Skipped => self.report.skipped += 1,
                    Outcome::Done | Outcome::Failed => self.report.done += 1,
                }
                outcome
            }
            Err(error) => {
                let text = error.text();
                tracing::warn!(tenant = %tenant.id, error = text, "the work for a tenant failed");
                let tenant = tenant.clone();
                self.report.failed.push(TenantFailure { tenant, error });
                Outcome::Failed
            }
        };
        let report = &self.report;
        (self.options.progress)(&Progress {
            tenant,
            outcome,
            done: report.done,
            failed: u64::try_from(report.failed.len()).unwrap_or(u64::MAX),
            skipped: report.skipped,
            total: self.total,
            resume_after: report.resume_after,
        });
    }
}

/// A tenant as it is now, unless it is closed.
async fn open_tenant(
    identity: &Identity,
    id: Uuid,
    with_suspended: bool,
) -> Result<Option<TenantInfo>, Error> {
    let row: Option<TenantRow> = identity
        .db()
        .identity(&Scope::trusted([TENANT.is(id)]))
        .read_only()
        .optional(
            "SELECT id, slug, name, seats FROM identity.tenant \
             WHERE id = $1 AND delete_after IS NULL AND (suspended_at IS NULL OR $2)",
            [id.into(), with_suspended.into()],
        )
        .await?;
    Ok(row.map(|row| TenantInfo {
        id: row.id,
        slug: row.slug,
        name: row.name,
        seats: row.seats,
    }))
}
