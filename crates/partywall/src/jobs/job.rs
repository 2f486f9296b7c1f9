use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::backoff;

/// A piece of work of a tenant's. Its fields are all that is written down for later, so they are ids
/// and choices: no secrets, and nothing that will be out of date.
///
/// The fields say nothing of tenant or actor. These come from where it is
/// [enqueued](crate::identity::RequestAccount::enqueue), and a field of that name would be a field
/// like any other.
///
/// ```
/// use partywall::jobs::Job;
/// use serde::{Deserialize, Serialize};
/// use uuid::Uuid;
///
/// #[derive(Serialize, Deserialize)]
/// struct SendReport {
///     note: Uuid,
/// }
///
/// impl Job for SendReport {
///     const KIND: &'static str = "report.send";
///     const ATTEMPTS: u32 = 3;
///
///     fn unique(&self) -> Option<String> {
///         Some(self.note.to_string())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tenant's job",
    note = "implement `partywall::jobs::Job` for it; a `GlobalJob` has no tenant and is enqueued with `Identity::enqueue_global`"
)]
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name under which it waits: `report.send`. It outlives a release, so it is not the name of
    /// the type.
    const KIND: &'static str;

    /// How often it is tried before it is given up.
    const ATTEMPTS: u32 = 10;

    /// Of a tenant's waiting jobs those of a higher priority run first.
    const PRIORITY: i16 = 0;

    /// How long one try may take. What takes longer is dropped, and tried again.
    const TIMEOUT: Duration = Duration::from_secs(600);

    /// How many of this kind one worker runs at once.
    const CONCURRENCY: usize = usize::MAX;

    /// A permission that the actor must have, when it is enqueued and still when it runs; without it
    /// the job is given up. Without a requirement a job is the tenant's work once it is enqueued: it
    /// runs also if the account that wanted it was removed since.
    ///
    /// With a requirement, [`JobContext::begin`](super::JobContext::begin) holds the account, so that
    /// no write is committed after its removal.
    const REQUIRES: Option<&'static str> = None;

    /// Whether it runs while its tenant is suspended. It waits otherwise.
    const WHILE_SUSPENDED: bool = false;

    /// How long to wait after an attempt that failed, the first being 1. The worker adds a fifth, more
    /// or less, so that what failed together is not tried again together.
    #[must_use]
    fn backoff(attempt: u32) -> Duration {
        backoff::exponential(attempt)
    }

    /// What no two unfinished jobs of this kind have in common in one tenant: enqueueing a second one
    /// answers the first.
    #[must_use]
    fn unique(&self) -> Option<String> {
        None
    }
}

/// A piece of work of the service's own, which has no tenant: a nightly clean-up, or what enqueues a
/// job for [each tenant](crate::identity::Identity::for_each_tenant).
///
/// It is declared so by its type, is enqueued another way, waits in a table that no statement of the
/// application's reaches, and runs without a scope.
///
/// ```
/// use partywall::{identity::Identity, jobs::{Error, GlobalJob}};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Nightly {}
///
/// impl GlobalJob for Nightly {
///     const KIND: &'static str = "nightly";
/// }
///
/// async fn at_two_o_clock(identity: &Identity) -> Result<(), Error> {
///     identity.enqueue_global("the timer", &Nightly {}).await?;
///     Ok(())
/// }
/// ```
///
/// A tenant's job does not go that way, nor a global one into a tenant:
///
/// ```compile_fail
/// # use partywall::{identity::Identity, jobs::{Error, Job}};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # struct Nightly {}
/// impl Job for Nightly {
///     const KIND: &'static str = "nightly";
/// }
/// # async fn at_two_o_clock(identity: &Identity) -> Result<(), Error> {
/// identity.enqueue_global("the timer", &Nightly {}).await?; // it needs a tenant
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` was not declared global",
    note = "a job without a tenant implements `partywall::jobs::GlobalJob`"
)]
pub trait GlobalJob: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// As for [`Job::KIND`].
    const KIND: &'static str;

    /// As for [`Job::ATTEMPTS`].
    const ATTEMPTS: u32 = 10;

    /// As for [`Job::PRIORITY`].
    const PRIORITY: i16 = 0;

    /// As for [`Job::TIMEOUT`].
    const TIMEOUT: Duration = Duration::from_secs(600);

    /// As for [`Job::CONCURRENCY`].
    const CONCURRENCY: usize = usize::MAX;

    /// As for [`Job::backoff`].
    #[must_use]
    fn backoff(attempt: u32) -> Duration {
        backoff::exponential(attempt)
    }

    /// As for [`Job::unique`], among the global jobs.
    #[must_use]
    fn unique(&self) -> Option<String> {
        None
    }
}

/// What a kind of job says of itself, without its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) kind: &'static str,
    pub(super) attempts: u32,
    pub(super) timeout: Duration,
    pub(super) concurrency: usize,
    pub(super) requires: Option<&'static str>,
    pub(super) while_suspended: bool,
    pub(super) backoff: fn(u32) -> Duration,
}

impl Rules {
    pub(super) fn of<J: Job>() -> Self {
        Self {
            kind: J::KIND,
            attempts: J::ATTEMPTS,
            timeout: J::TIMEOUT,
            concurrency: J::CONCURRENCY,
            requires: J::REQUIRES,
            while_suspended: J::WHILE_SUSPENDED,
            backoff: J::backoff,
        }
    }

    pub(super) fn of_global<J: GlobalJob>() -> Self {
        Self {
            kind: J::KIND,
            attempts: J::ATTEMPTS,
            timeout: J::TIMEOUT,
            concurrency: J::CONCURRENCY,
            requires: None,
            while_suspended: true,
            backoff: J::backoff,
        }
    }
}
