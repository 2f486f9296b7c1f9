use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Error, JobActor, model::job};
use crate::{
    db::Sql as _,
    identity::{AuditEntry, RequestAccount},
};

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// Its time has not come, or it failed and will be tried again.
    Scheduled,
    /// It runs as soon as a worker has a place.
    Waiting,
    /// A worker has it.
    Running,
    /// It is done.
    Done,
    /// It was given up, and is kept.
    Dead,
    /// Somebody cancelled it.
    Cancelled,
}

impl JobState {
    const ALL: [Self; 6] = [
        Self::Scheduled,
        Self::Waiting,
        Self::Running,
        Self::Done,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The name: `dead`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Which of a tenant's jobs are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobQuery {
    /// Those that stand so.
    pub state: Option<JobState>,
    /// Those of a kind.
    pub kind: Option<String>,
    /// Older ones than this.
    pub before: Option<Uuid>,
    /// How many, at most.
    pub limit: u64,
}

impl Default for JobQuery {
    /// The newest 100.
    fn default() -> Self {
        Self {
            state: None,
            kind: None,
            before: None,
            limit: 100,
        }
    }
}

/// A job of a tenant's, as a list shows it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JobInfo {
    /// Its id.
    pub id: Uuid,
    /// The kind.
    pub kind: String,
    /// Its fields.
    pub payload: Json,
    /// How it stands.
    pub state: JobState,
    /// When it is to run; until when a worker has it.
    pub due_at: DateTime<Utc>,
    /// How often it was begun.
    pub attempts: u32,
    /// Who wanted it.
    pub actor: JobActor,
    /// Why.
    pub reason: Option<String>,
    /// The job that wanted it.
    pub parent: Option<Uuid>,
    /// When it was wanted.
    pub created_at: DateTime<Utc>,
    /// When it was done, given up or cancelled.
    pub ended_at: Option<DateTime<Utc>>,
    /// What went wrong the last time.
    pub error: Option<String>,
}

impl TryFrom<job::Model> for JobInfo {
    type Error = Error;

    fn try_from(row: job::Model) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            kind: row.kind,
            payload: row.payload,
            state: JobState::named(&row.state).ok_or(Error::Broken("state"))?,
            due_at: row.due_at,
            attempts: u32::try_from(row.attempts).unwrap_or_default(),
            actor: serde_json::from_value(row.actor).map_err(|_| Error::Broken("actor"))?,
            reason: row.reason,
            parent: row.parent_id,
            created_at: row.created_at,
            ended_at: row.ended_at,
            error: row.error,
        })
    }
}

impl RequestAccount {
    /// The tenant's jobs, the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Identity`] without `job.read`, see [`permissions`](super::permissions); and what the
    /// database reports.
    pub async fn job_list(&self, query: &JobQuery) -> Result<Vec<JobInfo>, Error> {
        self.require("job.read")?;
        let mut jobs = job::Entity::find()
            .order_by_desc(job::Column::Id)
            .limit(query.limit);
        if let Some(state) = query.state {
            jobs = jobs.filter(job::Column::State.eq(state.name()));
        }
        if let Some(kind) = &query.kind {
            jobs = jobs.filter(job::Column::Kind.eq(kind));
        }
        if let Some(before) = query.before {
            jobs = jobs.filter(job::Column::Id.lt(before));
        }
        let rows = jobs.all(&self.reading()).await?;
        rows.into_iter().map(JobInfo::try_from).collect()
    }

    /// One of the tenant's jobs.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], and as for [`job_list`](Self::job_list).
    pub async fn job(&self, id: Uuid) -> Result<JobInfo, Error> {
        self.require("job.read")?;
        let row = job::Entity::find()
            .filter(job::Column::Id.eq(id))
            .one(&self.reading())
            .await?;
        row.ok_or(Error::NotFound)?.try_into()
    }

    /// Runs a job once more that was given up or cancelled, with all its attempts before it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a job that is not there or in another state, [`Error::Identity`] without
    /// `job.write`, and [`Error::Database`] of the kind
    /// [`Unique`](crate::db::ErrorKind::Unique) when an unfinished job has its unique key.
    pub async fn job_retry(&self, id: Uuid) -> Result<(), Error> {
        let sql = "UPDATE jobs.job SET state = 'waiting', attempts = 0, lease = NULL, \
                     ended_at = NULL, due_at = clock_timestamp() \
                   WHERE id = $1 AND state IN ('dead', 'cancelled')";
        self.job_change(id, sql, "job.retried").await
    }

    /// Cancels a job that has not ended. One that runs is dropped at its worker's next sign of life, a
    /// third of the lease later at most, and cannot [commit](super::JobContext::commit) from now on.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a job that is not there or has ended, and [`Error::Identity`] without
    /// `job.write`.
    pub async fn job_cancel(&self, id: Uuid) -> Result<(), Error> {
        let sql = "UPDATE jobs.job SET state = 'cancelled', lease = NULL, \
                     ended_at = clock_timestamp() \
                   WHERE id = $1 AND state IN ('scheduled', 'waiting', 'running')";
        self.job_change(id, sql, "job.cancelled").await
    }

    /// Removes a job that has ended, also one that was given up.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a job that is not there or has not ended, and [`Error::Identity`] without
    /// `job.write`.
    pub async fn job_discard(&self, id: Uuid) -> Result<(), Error> {
        let sql = "DELETE FROM jobs.job WHERE id = $1 AND state IN ('done', 'dead', 'cancelled')";
        self.job_change(id, sql, "job.discarded").await
    }

    async fn job_change(&self, id: Uuid, sql: &str, action: &str) -> Result<(), Error> {
        self.require("job.write")?;
        let tx = self.manage([]).await?;
        if tx.execute_sql(sql, [id.into()]).await? == 0 {
            return Err(Error::NotFound);
        }
        self.audit(&tx, AuditEntry::new(action).on(id)).await?;
        Ok(tx.commit().await?)
    }
}
