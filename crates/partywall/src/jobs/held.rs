use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::AbortHandle;
use uuid::Uuid;

use super::queue::Queue;

/// The jobs that a worker runs at this moment, by their leases, and how to stop each.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Arc<Mutex<HashMap<Uuid, Running>>>);

#[derive(Debug)]
struct Running {
    task: AbortHandle,
    /// Before the statement was sent that gave it.
    since: Instant,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, lease: Uuid, task: AbortHandle, since: Instant) {
        self.lock().insert(lease, Running { task, since });
    }

    pub(super) fn remove(&self, lease: Uuid) {
        self.lock().remove(&lease);
    }

    /// Gives signs of life, and stops the jobs that are no longer this worker's: those that were
    /// cancelled, those of a deleted tenant, and all whose lease ran out because the database did not
    /// answer. Another worker may have them by then.
    pub(super) async fn keep(&self, queue: &Queue) -> Infallible {
        let pause = queue.lease / 3;
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(pause).await;
            let begun = Instant::now();
            // What is given to the worker from here on is none of this beat's business.
            let before: Vec<Uuid> = self.lock().keys().copied().collect();
            match tokio::time::timeout(pause, queue.beat(&before)).await {
                Ok(Ok(kept)) => {
                    last = begun;
                    let lost = before.into_iter().filter(|lease| !kept.contains(lease));
                    self.stop(lost, "it was cancelled, or is another worker's");
                }
                answer @ (Ok(Err(_)) | Err(_)) => {
                    let error = answer
                        .ok()
                        .and_then(Result::err)
                        .map(|error| error.to_string());
                    tracing::warn!(error, "the queue does not answer");
                    let lost = self.overdue(last, queue.lease);
                    self.stop(lost, "its lease ran out");
                }
            }
        }
    }

    fn overdue(&self, last: Instant, lease: Duration) -> Vec<Uuid> {
        let jobs = self.lock();
        let overdue = jobs
            .iter()
            .filter(|(_, running)| running.since.max(last).elapsed() >= lease);
        overdue.map(|(lease, _)| *lease).collect()
    }

    fn stop(&self, leases: impl IntoIterator<Item = Uuid>, why: &str) {
        let held = self.lock();
        for lease in leases {
            if let Some(running) = held.get(&lease)
                && !running.task.is_finished()
            {
                tracing::warn!(%lease, why, "a job is stopped");
                running.task.abort();
            }
        }
    }
}
