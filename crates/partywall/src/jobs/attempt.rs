//! One try of one job: read it, run it, write down how that ended.

use std::{any::Any, future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use tracing::Instrument as _;

use super::{
    Error, Failure, GlobalContext, JobActor, JobContext,
    backoff::jittered,
    carried::restored,
    failure::{Then, described},
    handler::Handler,
    job::Rules,
    permit::is_permitted,
    queue::{Claimed, Ended, Loaded, Queue},
};
use crate::identity::TenantInfo;

/// The handler of a claimed job.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Tenant(Handler<JobContext>),
    Global(Handler<GlobalContext>),
}

impl Kind {
    pub(super) fn rules(&self) -> Rules {
        match self {
            Self::Tenant(handler) => handler.rules,
            Self::Global(handler) => handler.rules,
        }
    }
}

/// Runs a job once. Dropping this future drops the job's where it stands; the queue gives the job to a
/// worker again when the lease is over.
pub(super) async fn attempt(queue: Queue, claimed: Claimed, kind: Kind) {
    let span = tracing::info_span!(
        "job",
        id = %claimed.id,
        kind = claimed.kind,
        attempt = claimed.attempt,
        tenant = claimed.tenant.map(|tenant| tenant.to_string()),
    );
    attempt_in_span(&queue, &claimed, &kind)
        .instrument(span)
        .await;
}

async fn attempt_in_span(queue: &Queue, claimed: &Claimed, kind: &Kind) {
    let loaded = match queue.load(claimed).await {
        Ok(Some(loaded)) => loaded,
        // Cancelled meanwhile, or its tenant was deleted.
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%error, "a job waits: it cannot be read");
            let after = jittered(Duration::from_secs(5));
            let why = described(&error);
            return end(queue, claimed, &Ended::Waits { after, why }).await;
        }
    };
    let rules = kind.rules();
    let ended = if claimed.attempt > rules.attempts {
        // Its workers were lost each time: perhaps it is what takes them down.
        Ended::GivenUp {
            error: format!("{} tries began and none came to an end", rules.attempts),
        }
    } else {
        match run(queue, claimed, kind, loaded).await {
            Ok(()) => Ended::Done,
            Err(failure) => of_failure(&rules, claimed.attempt, &failure),
        }
    };
    match &ended {
        Ended::Done => tracing::debug!("a job is done"),
        Ended::Waits { why, .. } => tracing::debug!(why, "a job waits"),
        Ended::Failed { error, after } => {
            tracing::warn!(error, ?after, "a job failed, and will be tried again");
        }
        Ended::GivenUp { error } => tracing::error!(error, "a job is given up"),
    }
    end(queue, claimed, &ended).await;
}

fn of_failure(rules: &Rules, attempt: u32, failure: &Failure) -> Ended {
    let error = failure.text();
    match failure.then {
        Then::Wait(after) => Ended::Waits { after, why: error },
        Then::Retry if attempt < rules.attempts => Ended::Failed {
            after: jittered((rules.backoff)(attempt)),
            error,
        },
        Then::Retry | Then::GiveUp => Ended::GivenUp { error },
    }
}

/// Writes down how it ended; again and again while the database is away, since otherwise the job runs
/// once more. Whoever took the job over meanwhile is not disturbed.
async fn end(queue: &Queue, claimed: &Claimed, ended: &Ended) {
    for wait in [100, 300, 1_000, 3_000, 10_000] {
        match queue.end(claimed, ended).await {
            Ok(_) => return,
            Err(error) => tracing::warn!(%error, "how a job ended cannot be written down"),
        }
        tokio::time::sleep(jittered(Duration::from_millis(wait))).await;
    }
}

async fn run(queue: &Queue, claimed: &Claimed, kind: &Kind, loaded: Loaded) -> Result<(), Failure> {
    let broken = |what: &'static str| move |_| Failure::fatal(Error::Broken(what));
    let actor: JobActor = serde_json::from_value(loaded.actor).map_err(broken("actor"))?;
    let unreadable = |error| Failure::fatal(format!("the fields cannot be read: {error}"));
    match (kind, claimed.tenant) {
        (Kind::Tenant(handler), Some(tenant)) => {
            let rules = handler.rules;
            let scope =
                restored(queue.identity.db(), tenant, &loaded.narrowed).map_err(Failure::fatal)?;
            if let Some(permission) = rules.requires
                && !is_permitted(&queue.identity, tenant, &actor, permission).await?
            {
                let lacks = format!("whoever wanted it lacks the permission `{permission}` by now");
                return Err(Failure::fatal(lacks));
            }
            let context = JobContext {
                identity: queue.identity.clone(),
                id: claimed.id,
                kind: rules.kind,
                attempt: claimed.attempt,
                lease: claimed.lease,
                tenant: TenantInfo {
                    id: tenant,
                    slug: loaded.slug,
                    name: loaded.name,
                    seats: loaded.seats,
                },
                scope: scope.clone(),
                actor,
                reason: loaded.reason,
                holds: rules.requires.is_some(),
            };
            let work = handler.begin(loaded.payload, context).map_err(unreadable)?;
            scope.enter(guarded(rules.timeout, work)).await?
        }
        (Kind::Global(handler), None) => {
            let rules = handler.rules;
            let context = GlobalContext {
                identity: queue.identity.clone(),
                id: claimed.id,
                kind: rules.kind,
                attempt: claimed.attempt,
                actor,
                reason: loaded.reason,
            };
            let work = handler.begin(loaded.payload, context).map_err(unreadable)?;
            guarded(rules.timeout, work).await
        }
        (Kind::Tenant(_), None) | (Kind::Global(_), Some(_)) => {
            Err(Failure::fatal(Error::Broken("kind")))
        }
    }
}

/// Runs work for so long at most. A panic is a failure like any other.
pub(super) async fn guarded(
    limit: Duration,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(done)) => done,
        Ok(Err(panic)) => Err(Failure::retry(format!("it panicked: {}", said(&*panic)))),
        Err(_) => Err(Failure::retry(format!("it took longer than {limit:?}"))),
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::backoff;

    fn rules(attempts: u32) -> Rules {
        Rules {
            kind: "test",
            attempts,
            timeout: Duration::from_secs(1),
            concurrency: 1,
            requires: None,
            while_suspended: false,
            backoff: backoff::exponential,
        }
    }

    #[test]
    fn a_failure_is_tried_again_until_tries_are_used_up() {
        let failure = Failure::retry("no");
        for attempt in 1..3 {
            let ended = of_failure(&rules(3), attempt, &failure);
            assert!(matches!(ended, Ended::Failed { .. }), "{ended:?}");
        }
        let error = "no".to_owned();
        assert_eq!(of_failure(&rules(3), 3, &failure), Ended::GivenUp { error });
        let ended = of_failure(&rules(3), 1, &Failure::fatal("no"));
        assert!(matches!(ended, Ended::GivenUp { .. }), "{ended:?}");
        let wait = Duration::from_secs(9);
        let ended = of_failure(&rules(3), 3, &Failure::later(wait, "busy"));
        assert!(
            matches!(ended, Ended::Waits { after, .. } if after == wait),
            "{ended:?}"
        );
    }

    #[tokio::test]
    async fn a_panic_and_a_limit_are_failures() {
        let limit = Duration::from_millis(200);
        let panics = guarded(limit, async { panic!("at the {}", "disco") }).await;
        assert_eq!(panics.unwrap_err().text(), "it panicked: at the disco");
        let hangs = guarded(limit, std::future::pending()).await;
        assert_eq!(hangs.unwrap_err().text(), "it took longer than 200ms");
        guarded(limit, async { Ok(()) }).await.unwrap();
    }
}
