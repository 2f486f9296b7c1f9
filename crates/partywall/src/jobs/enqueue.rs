use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Error, Job, JobActor, carried::carried};
use crate::{
    db::{Sql as _, Tx},
    identity::RequestAccount,
};

/// What is particular about one job. The default: as soon as possible, as its kind says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobOptions {
    reason: Option<String>,
    at: Option<DateTime<Utc>>,
    priority: Option<i16>,
    unique: Option<String>,
}

/// A job that waits to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enqueued {
    /// Its id.
    pub id: Uuid,
    /// Whether it is new. It is not where an unfinished job has the same [unique](Job::unique) key:
    /// then this is that job, which may have begun already.
    pub is_new: bool,
}

impl JobOptions {
    /// As its kind says.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Why, in words. It goes along to whatever the job enqueues and into its audit entries.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Not before then.
    #[must_use]
    pub fn at(mut self, at: DateTime<Utc>) -> Self {
        self.at = Some(at);
        self
    }

    /// Of a tenant's waiting jobs those of a higher priority run first.
    #[must_use]
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = Some(priority);
        self
    }

    /// What no two unfinished jobs of the kind have in common, in place of [`Job::unique`].
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique = Some(key.into());
        self
    }
}

/// Who wants a job, why, and the job in which it came up.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) actor: JobActor,
    pub(super) reason: Option<String>,
    pub(super) parent: Option<Uuid>,
}

/// A job before it is a row.
#[derive(Debug)]
pub(super) struct NewJob {
    kind: &'static str,
    payload: Json,
    priority: i16,
    unique: Option<String>,
    at: Option<DateTime<Utc>>,
    actor: Json,
    reason: Option<String>,
    parent: Option<Uuid>,
}

/// More than this belongs into a table of its own.
const LARGEST: usize = 256 * 1_024;

pub(super) fn check_kind(kind: &str) -> Result<(), Error> {
    if kind.trim().is_empty() || kind.chars().count() > 100 {
        return Err(Error::Kind(kind.to_owned()));
    }
    Ok(())
}

impl NewJob {
    pub(super) fn new(
        (kind, priority, unique): (&'static str, i16, Option<String>),
        payload: serde_json::Result<Json>,
        cause: Cause,
        options: JobOptions,
    ) -> Result<Self, Error> {
        check_kind(kind)?;
        let payload = payload.map_err(Error::Payload)?;
        let size = payload.to_string().len();
        if size > LARGEST {
            return Err(Error::TooLarge(size));
        }
        Ok(Self {
            kind,
            payload,
            priority: options.priority.unwrap_or(priority),
            unique: options.unique.or(unique),
            at: options.at,
            actor: serde_json::to_value(&cause.actor).map_err(Error::Payload)?,
            reason: options.reason.or(cause.reason),
            parent: cause.parent,
        })
    }

    /// Writes the row into a tenant's queue or, without the dimensions that narrow the scope, into that
    /// of the service. Whose it is, the transaction's scope says.
    pub(super) async fn insert(self, tx: &Tx, narrowed: Option<Json>) -> Result<Enqueued, Error> {
        #[derive(FromQueryResult)]
        struct Row {
            id: Uuid,
        }
        let insert = format!(
            "INSERT INTO {} (id, kind, payload, priority, unique_key, actor, reason, parent_id, \
             attempts, created_at, due_at, state{}) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, 0, t.now, coalesce($9, t.now), \
               CASE WHEN $9 > t.now THEN 'scheduled' ELSE 'waiting' END{} \
             FROM clock_timestamp() AS t (now) \
             ON CONFLICT ({}, kind, unique_key) \
               WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'waiting', 'running') \
             DO NOTHING RETURNING id",
            table(narrowed.is_some()),
            if narrowed.is_some() { ", narrowed" } else { "" },
            if narrowed.is_some() { ", $10" } else { "" },
            if narrowed.is_some() {
                "tenant_id"
            } else {
                "job_queue"
            },
        );
        let find = format!(
            "SELECT id FROM {} WHERE kind = $1 AND unique_key = $2 \
             AND state IN ('scheduled', 'waiting', 'running')",
            table(narrowed.is_some()),
        );
        let id = Uuid::now_v7();
        loop {
            let mut values: Vec<sea_orm::Value> = vec![
                id.into(),
                self.kind.into(),
                self.payload.clone().into(),
                self.priority.into(),
                self.unique.clone().into(),
                self.actor.clone().into(),
                self.reason.clone().into(),
                self.parent.into(),
                self.at.into(),
            ];
            values.extend(narrowed.clone().map(Into::into));
            let new: Option<Row> = tx.optional(&insert, values).await?;
            if let Some(Row { id }) = new {
                return Ok(Enqueued { id, is_new: true });
            }
            let key = self.unique.clone().into();
            let known: Option<Row> = tx.optional(&find, [self.kind.into(), key]).await?;
            if let Some(Row { id }) = known {
                return Ok(Enqueued { id, is_new: false });
            }
            // It ended between the two statements.
        }
    }
}

fn table(is_tenants: bool) -> &'static str {
    if is_tenants {
        "jobs.job"
    } else {
        "jobs.global_job"
    }
}

/// Enqueues a tenant's job in a transaction of that tenant.
pub(super) async fn enqueue<J: Job>(
    tx: &Tx,
    tenant: Uuid,
    job: &J,
    cause: Cause,
    options: JobOptions,
) -> Result<Enqueued, Error> {
    let (of_tx, narrowed) = carried(tx)?;
    if of_tx != tenant {
        return Err(Error::OtherTenant);
    }
    let kind = (J::KIND, J::PRIORITY, job.unique());
    let new = NewJob::new(kind, serde_json::to_value(job), cause, options)?;
    new.insert(tx, Some(narrowed)).await
}

/// Enqueues a job of the transaction's tenant that nobody asked for in a request: what a payment
/// provider's call or a migration sets off. `part` says which part of the service it is, as the actor.
///
/// [`Job::REQUIRES`] is of accounts, and the service has none: its jobs run without.
///
/// # Errors
///
/// As for [`RequestAccount::enqueue`], but for permissions.
pub async fn enqueue_as_service<J: Job>(
    tx: &Tx,
    part: &str,
    job: &J,
    options: JobOptions,
) -> Result<Enqueued, Error> {
    let (tenant, _) = carried(tx)?;
    let cause = Cause {
        actor: JobActor::service(part),
        reason: None,
        parent: None,
    };
    enqueue(tx, tenant, job, cause, options).await
}

impl RequestAccount {
    /// Enqueues a job in the transaction that it belongs to: it is there if and only if that is
    /// committed. It runs in the transaction's scope, in the name of this account.
    ///
    /// # Errors
    ///
    /// [`Error::NoTenant`], [`Error::List`] and [`Error::OtherTenant`] for a transaction that is not
    /// this tenant's, before anything is sent; [`Error::Identity`] without the permission that the job
    /// [requires](Job::REQUIRES); [`Error::TooLarge`]; and what the database reports.
    pub async fn enqueue<J: Job>(&self, tx: &Tx, job: &J) -> Result<Enqueued, Error> {
        self.enqueue_with(tx, job, JobOptions::new()).await
    }

    /// The same, with particulars.
    ///
    /// # Errors
    ///
    /// As for [`enqueue`](Self::enqueue).
    pub async fn enqueue_with<J: Job>(
        &self,
        tx: &Tx,
        job: &J,
        options: JobOptions,
    ) -> Result<Enqueued, Error> {
        if let Some(permission) = J::REQUIRES {
            self.require(permission)?;
        }
        let cause = Cause {
            actor: JobActor::of(self),
            reason: None,
            parent: None,
        };
        enqueue(tx, self.tenant().id, job, cause, options).await
    }
}
