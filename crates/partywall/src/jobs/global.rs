use uuid::Uuid;

use super::{
    Enqueued, Error, GlobalJob, JobActor, JobOptions,
    enqueue::{Cause, NewJob},
};
use crate::{
    identity::Identity,
    scope::{Dimension, Scope},
};

/// Whose the jobs without a tenant are: the service's own queue. Only the identity login has rights on
/// them, so this scope opens nothing to the application.
pub(super) fn service() -> Scope {
    const QUEUE: Dimension<String> = Dimension::new("job_queue");
    Scope::trusted([QUEUE.is("service".to_owned())])
}

/// Where a job without a tenant runs: outside of every scope. Cheap to clone.
///
/// It reaches tenants by [`Identity::for_each_tenant`], or all of them by
/// [`Db::across`](crate::Db::across), which writes down why.
#[derive(Clone, Debug)]
pub struct GlobalContext {
    pub(super) identity: Identity,
    pub(super) id: Uuid,
    pub(super) kind: &'static str,
    pub(super) attempt: u32,
    pub(super) actor: JobActor,
    pub(super) reason: Option<String>,
}

impl GlobalContext {
    /// The job's id, the same in each try.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Which try this is, the first being 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Which part of the service wanted it.
    #[must_use]
    pub fn actor(&self) -> &JobActor {
        &self.actor
    }

    /// Why, if somebody said.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The way to the tenants.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Enqueues another job without a tenant, for the same part of the service and the same reason.
    ///
    /// # Errors
    ///
    /// As for [`Identity::enqueue_global`].
    pub async fn enqueue_global<J: GlobalJob>(
        &self,
        job: &J,
        options: JobOptions,
    ) -> Result<Enqueued, Error> {
        let cause = Cause {
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            parent: Some(self.id),
        };
        enqueue_global(&self.identity, job, cause, options).await
    }
}

impl Identity {
    /// Enqueues a job without a tenant, in a transaction of its own. `part` says which part of the
    /// service wants it, as the actor.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], and what the database reports.
    pub async fn enqueue_global<J: GlobalJob>(
        &self,
        part: &str,
        job: &J,
    ) -> Result<Enqueued, Error> {
        self.enqueue_global_with(part, job, JobOptions::new()).await
    }

    /// The same, with particulars.
    ///
    /// # Errors
    ///
    /// As for [`enqueue_global`](Self::enqueue_global).
    pub async fn enqueue_global_with<J: GlobalJob>(
        &self,
        part: &str,
        job: &J,
        options: JobOptions,
    ) -> Result<Enqueued, Error> {
        let cause = Cause {
            actor: JobActor::service(part),
            reason: None,
            parent: None,
        };
        enqueue_global(self, job, cause, options).await
    }
}

async fn enqueue_global<J: GlobalJob>(
    identity: &Identity,
    job: &J,
    cause: Cause,
    options: JobOptions,
) -> Result<Enqueued, Error> {
    let kind = (J::KIND, J::PRIORITY, job.unique());
    let new = NewJob::new(kind, serde_json::to_value(job), cause, options)?;
    let tx = identity.begin(&service()).await?;
    let enqueued = new.insert(&tx, None).await?;
    tx.commit().await?;
    Ok(enqueued)
}
