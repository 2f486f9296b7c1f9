//! The tenants one after the other, a few at a time, and what came of each.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::Arc,
    time::Duration,
};

use sea_orm::FromQueryResult;
use tokio::task::{Id, JoinSet};
use uuid::Uuid;

use super::{
    Error, Failure, ForEachTenant, Outcome, Progress, Report, TenantFailure, TenantWork,
    attempt::guarded, backoff::jittered,
};
use crate::{
    db::{Across, Sql as _},
    identity::{Identity, TenantInfo},
    scope::{Scope, TENANT},
};

/// How many tenants are read at once, whatever there are.
const PAGE: i64 = 500;

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

pub(super) struct Rounds<'a> {
    options: ForEachTenant<'a>,
    tenants: Tenants,
    total: u64,
    running: JoinSet<Result<Outcome, Failure>>,
    tasks: HashMap<Id, TenantInfo>,
    /// The tenants that were begun, in that order, from the first one that has not ended.
    begun: VecDeque<(Uuid, bool)>,
    report: Report,
}

impl<'a> Rounds<'a> {
    pub(super) async fn new(options: ForEachTenant<'a>) -> Result<Self, Error> {
        let (reason, place) = (options.reason, options.place);
        let db = options.identity.db().across_at(reason, place).await?;
        let after = options.after.unwrap_or(Uuid::nil());
        let sql = "SELECT count(*) FROM identity.tenant WHERE id > $1";
        let total: i64 = db.scalar(sql, [after.into()]).await?;
        let report = Report {
            resume_after: options.after,
            ..Report::default()
        };
        Ok(Self {
            tenants: Tenants::new(db, after).await?,
            total: u64::try_from(total).unwrap_or_default(),
            running: JoinSet::new(),
            tasks: HashMap::new(),
            begun: VecDeque::new(),
            report,
            options,
        })
    }

    pub(super) async fn go<F, W>(mut self, work: Arc<F>) -> Report
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
                None => return self.report,
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
