use sea_orm::TransactionTrait as _;

use super::{
    Enqueued, Error, Job, JobActor, JobOptions,
    enqueue::{Cause, enqueue},
};
use crate::{
    db::{ScopedDb, Tx},
    identity::{AuditEntry, Identity, TenantInfo},
    scope::Scope,
};

/// One tenant's part of what is done for [every tenant](Identity::for_each_tenant): its scope, and no
/// way out of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TenantWork {
    identity: Identity,
    tenant: TenantInfo,
    scope: Scope,
    reason: String,
}

impl TenantWork {
    pub(super) fn new(
        identity: Identity,
        tenant: TenantInfo,
        scope: Scope,
        reason: String,
    ) -> Self {
        Self {
            identity,
            tenant,
            scope,
            reason,
        }
    }

    /// The tenant, as it is now.
    #[must_use]
    pub fn tenant(&self) -> &TenantInfo {
        &self.tenant
    }

    /// The tenant's scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Why this is done.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The tenant's rows, for single statements.
    #[must_use]
    pub fn db(&self) -> ScopedDb {
        self.identity.db().scoped(&self.scope)
    }

    /// Begins a transaction in the tenant.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(self.db().begin().await?)
    }

    /// Enqueues a job of the tenant's, in the name of the service.
    ///
    /// # Errors
    ///
    /// As for [`enqueue_as_service`](super::enqueue_as_service).
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
            actor: JobActor::service(&self.reason),
            reason: Some(self.reason.clone()),
            parent: None,
        };
        enqueue(tx, self.tenant.id, job, cause, options).await
    }

    /// Writes an entry into the tenant's audit log, in the name of the service.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn audit(&self, tx: &Tx, entry: AuditEntry<'_>) -> Result<(), Error> {
        let actor = JobActor::service(&self.reason);
        actor.audit(tx, self.tenant.id, entry).await
    }
}
