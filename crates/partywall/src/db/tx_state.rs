use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

use super::{Error, Refused, lease::Lease, pipeline::Step, session::Session};

/// What the levels of one transaction share.
#[derive(Clone)]
pub(super) struct TxState {
    slot: Arc<AsyncMutex<Option<Lease>>>,
    /// What rides with the next statement, each with the level that asked for it.
    pending: Arc<Mutex<Vec<(u32, Pending)>>>,
    /// The innermost open level.
    pub(super) depth: Arc<AtomicU32>,
    /// A statement failed since the innermost savepoint.
    pub(super) failed: Arc<AtomicBool>,
    /// A row stream holds the connection.
    pub(super) streaming: Arc<AtomicBool>,
}

/// Something to send before the next statement. Contexts are sealed when they are sent, not before,
/// since they expire.
pub(super) enum Pending {
    Begin(&'static str, Box<Session>),
    Savepoint(u32),
    Narrow(Box<Session>),
    /// The nested transaction of this level was dropped.
    RollbackTo(u32),
    /// A call that fails where what the id names is no more.
    Require(&'static str, Uuid),
}

impl Pending {
    /// Whether this opens its level.
    pub(super) fn opens(&self) -> bool {
        matches!(self, Self::Begin(..) | Self::Savepoint(_))
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        match self {
            Self::Begin(sql, session) => vec![Step::Control(sql), session.enter()],
            Self::Savepoint(level) => vec![Step::Savepoint(level)],
            Self::Narrow(session) => vec![Step::Narrow {
                context: session.context(),
            }],
            Self::RollbackTo(level) => vec![Step::RollbackTo(level), Step::Release(level)],
            Self::Require(call, id) => vec![Step::Require { call, id }],
        }
    }
}

impl TxState {
    pub(super) fn new(lease: Lease, begin: Pending) -> Self {
        Self {
            slot: Arc::new(AsyncMutex::new(Some(lease))),
            pending: Arc::new(Mutex::new(vec![(0, begin)])),
            depth: Arc::new(AtomicU32::new(0)),
            failed: Arc::new(AtomicBool::new(false)),
            streaming: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Waits for the connection, unless a stream has it: reading the stream and waiting for it in
    /// one task would never end.
    pub(super) async fn lock(&self) -> Result<OwnedMutexGuard<Option<Lease>>, Error> {
        if self.streaming.load(Ordering::Acquire) {
            return Err(Error::Streaming);
        }
        Ok(self.slot.clone().lock_owned().await)
    }

    pub(super) fn push(&self, level: u32, pending: Pending) {
        self.pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((level, pending));
    }

    /// Whether something is pending for a statement of this level.
    pub(super) fn has_pending(&self, level: u32) -> bool {
        let all = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|(l, _)| *l <= level)
    }

    /// Refuses a level around an open one.
    pub(super) fn check_innermost(&self, level: u32) -> Result<(), Error> {
        if self.depth.load(Ordering::Acquire) == level {
            Ok(())
        } else {
            Err(Refused::Nested.into())
        }
    }

    /// Takes what is pending at a level.
    pub(super) fn take(&self, level: u32) -> Vec<Pending> {
        self.take_where(|l| l == level).collect()
    }

    /// Takes what is pending for a statement of this level, as steps. What a level inside of it asked
    /// for is not this statement's.
    pub(super) fn take_up_to(&self, level: u32) -> Vec<Step> {
        self.take_where(|l| l <= level)
            .flat_map(Pending::into_steps)
            .collect()
    }

    fn take_where<F: Fn(u32) -> bool>(
        &self,
        is_wanted: F,
    ) -> impl Iterator<Item = Pending> + use<F> {
        let mut all = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, left) = std::mem::take(&mut *all)
            .into_iter()
            .partition::<Vec<_>, _>(|(level, _)| is_wanted(*level));
        *all = left;
        taken.into_iter().map(|(_, pending)| pending)
    }
}
