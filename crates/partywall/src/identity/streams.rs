//! The streams that are open, counted so that nobody has them all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use uuid::Uuid;

use super::{Actor, Identity, RequestAccount};

#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Mutex<HashMap<Whose, usize>>,
    end: watch::Sender<()>,
}

/// The tenant, and the account, key or entry that acts there.
type Whose = (Uuid, Uuid);

/// A stream that is open for as long as this is kept.
#[derive(Debug)]
pub(crate) struct OpenStream {
    streams: Arc<Streams>,
    whose: Whose,
    end: watch::Receiver<()>,
}

/// Why a stream may not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The account has as many as it may.
    Account,
    /// The process has.
    Process,
}

impl Identity {
    /// Ends all streams of changes of this process, for an orderly shutdown: a server that waits for its
    /// answers to end would wait for these for ever. Browsers connect again, to whoever is there then.
    pub fn streams_end(&self) {
        self.inner.streams.end.send_replace(());
    }

    /// How many streams of changes are open in this process.
    #[must_use]
    pub fn streams_open(&self) -> usize {
        self.inner.streams.lock().values().sum()
    }
}

impl RequestAccount {
    /// Counts a stream.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub(crate) fn stream_open(&self) -> Result<OpenStream, Full> {
        let streams = &self.identity().inner.streams;
        let settings = self.identity().settings();
        let acts = match self.actor() {
            Actor::Member { account, .. } => *account,
            Actor::Staff { entry, .. } => *entry,
            Actor::Key { key, .. } => *key,
        };
        let whose = (self.tenant().id, acts);
        let mut open = streams.lock();
        if open
            .get(&whose)
            .is_some_and(|n| *n >= settings.streams_each)
        {
            return Err(Full::Account);
        }
        if open.values().sum::<usize>() >= settings.streams {
            return Err(Full::Process);
        }
        *open.entry(whose).or_default() += 1;
        drop(open);
        Ok(OpenStream {
            streams: streams.clone(),
            whose,
            end: streams.end.subscribe(),
        })
    }
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, HashMap<Whose, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenStream {
    /// Waits until all streams are to end.
    pub(crate) async fn ends(&mut self) {
        // An error says that nobody is there who could tell, which cannot be: this holds it.
        let _ = self.end.changed().await;
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        if let Some(n) = open.get_mut(&self.whose) {
            *n -= 1;
            if *n == 0 {
                open.remove(&self.whose);
            }
        }
    }
}
