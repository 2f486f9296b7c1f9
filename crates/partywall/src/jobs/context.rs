use std::fmt;

use sea_orm::TransactionTrait as _;
use uuid::Uuid;

use super::{
    Enqueued, Error, Job, JobActor, JobOptions,
    enqueue::{Cause, enqueue},
};
use crate::{
    db::{ScopedDb, Sql as _, Tx},
    identity::{AuditEntry, Identity, TenantInfo, account_hold},
    scope::Scope,
};

/// Where and for whom a job runs: the tenant, the scope and the actor that it was enqueued with. Cheap
/// to clone.
///
/// The same scope is [ambient](Scope::current) while the job runs.
#[derive(Clone)]
pub struct JobContext {
    pub(super) identity: Identity,
    pub(super) id: Uuid,
    pub(super) kind: &'static str,
    pub(super) attempt: u32,
    pub(super) lease: Uuid,
    pub(super) tenant: TenantInfo,
    pub(super) scope: Scope,
    pub(super) actor: JobActor,
    pub(super) reason: Option<String>,
    /// Whether transactions hold the actor's account.
    pub(super) holds: bool,
}

impl JobContext {
    /// The job's id. It is the same in each try, so it serves to make a call of somebody else's service
    /// only once.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Which try this is, the first being 1. Tries in which a worker was lost count.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The tenant, as it is now.
    #[must_use]
    pub fn tenant(&self) -> &TenantInfo {
        &self.tenant
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Who wanted it.
    #[must_use]
    pub fn actor(&self) -> &JobActor {
        &self.actor
    }

    /// Why, if somebody said.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The scope's view of the database, for single statements.
    #[must_use]
    pub fn db(&self) -> ScopedDb {
        self.identity.db().scoped(&self.scope)
    }

    /// Begins a transaction in the scope. Where the job [requires](Job::REQUIRES) a permission, it holds
    /// the actor's account, so that nothing is committed after its removal: the hold rides with the first
    /// statement, which fails where the account is gone.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let tx = self.db().begin().await?;
        if let Some(account) = self.actor.account().filter(|_| self.holds) {
            account_hold(&tx, account)?;
        }
        Ok(tx)
    }

    /// Commits the transaction and ends the job in it: the job is done if and only if its writes are
    /// permanent. Without this a job whose worker is lost behind the commit runs once more. What the
    /// handler does afterwards may be dropped at any time, and is not tried again.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`], with all undone, when the job is no longer this worker's; and what the database
    /// reports.
    pub async fn commit(&self, tx: Tx) -> Result<(), Error> {
        let values = [self.id.into(), self.lease.into()];
        let done: bool = tx
            .scalar("SELECT partywall.jobs_done($1, $2)", values)
            .await?;
        if !done {
            tx.rollback().await?;
            return Err(Error::Lost);
        }
        Ok(tx.commit().await?)
    }

    /// Enqueues another job in this tenant, in the name of the same actor and for the same reason.
    ///
    /// # Errors
    ///
    /// As for [`RequestAccount::enqueue`](crate::identity::RequestAccount::enqueue). What the job
    /// requires is asked for when it runs.
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
        let cause = Cause {
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            parent: Some(self.id),
        };
        enqueue(tx, self.tenant.id, job, cause, options).await
    }

    /// Writes an entry into the tenant's audit log: who wanted it, and which job did it and why.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn audit(&self, tx: &Tx, entry: AuditEntry<'_>) -> Result<(), Error> {
        let mut entry = entry
            .and("job", self.id.to_string().into())
            .and("job_kind", self.kind.into());
        if let Some(reason) = &self.reason {
            entry = entry.and("reason", reason.as_str().into());
        }
        self.actor.audit(tx, self.tenant.id, entry).await
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("attempt", &self.attempt)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
