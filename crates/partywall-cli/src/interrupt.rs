use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use partywall_connect::Connector;
use tokio_postgres::CancelToken;

use crate::failure::Failure;

/// How often the server is asked to stop before the connections are dropped.
const ATTEMPTS: u32 = 4;

/// What Ctrl-C does: the server stops what it runs for us, which rolls back, and the program ends with 130.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    running: Arc<Mutex<Vec<(Connector, CancelToken)>>>,
    stopped: Arc<AtomicBool>,
    /// Whether somebody else deals with it: psql, or the command that runs.
    ignored: Arc<AtomicBool>,
}

impl Interrupt {
    /// Counts a connection among those whose statement is stopped.
    pub(crate) fn cover(&self, connector: &Connector, token: CancelToken) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((connector.clone(), token));
    }

    /// Whether Ctrl-C was pressed: no new work is to be begun.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Leaves Ctrl-C to a child.
    pub(crate) fn leave_to_child(&self) {
        self.ignored.store(true, Ordering::SeqCst);
    }

    /// Does the work, until it is done or somebody presses Ctrl-C.
    pub(crate) async fn watch<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                pressed = asked_to_stop() => {
                    if !pressed {
                        // It cannot be heard, and then has its usual meaning.
                        return work.await;
                    }
                    if !self.ignored.load(Ordering::SeqCst) {
                        break;
                    }
                }
            }
        }
        self.stopped.store(true, Ordering::SeqCst);
        for _ in 0..ATTEMPTS {
            self.cancel().await;
            // What was stopped ends with an error, and rolls back on its way out.
            if tokio::time::timeout(Duration::from_millis(500), &mut work)
                .await
                .is_ok()
            {
                break;
            }
        }
        Err(Failure::Interrupted)
    }

    async fn cancel(&self) {
        let running: Vec<_> = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (connector, token) in running {
            // A connection that is gone has nothing to stop.
            let _ = tokio::time::timeout(Duration::from_secs(2), connector.cancel(&token)).await;
        }
    }
}

/// Waits for Ctrl-C, or for the signal by which an operating system ends programs.
async fn asked_to_stop() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut int), Ok(mut term)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) else {
            return false;
        };
        tokio::select! {
            heard = int.recv() => heard.is_some(),
            heard = term.recv() => heard.is_some(),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
