use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use deadpool::managed::Object;

use super::{
    Closed, Error, Event,
    conn::Conn,
    pool::{Manager, Shared},
};

/// A connection held by one user, and the duty to give it back clean.
///
/// A future can be dropped at any await point, so whatever state the session is in at that moment is
/// written down before the await: [`Lease::busy`] while answers are outstanding, [`Lease::open`]
/// while a transaction is. Dropping the lease then decides: an idle session goes back to the pool,
/// a dirty one is closed, and for one that is busy or in a transaction a task first waits and rolls
/// back; one that takes too long is cancelled and closed. Until that task is done the next borrower
/// does not get it.
pub(crate) struct Lease {
    /// Present until the lease is dropped.
    object: Option<Object<Manager>>,
    shared: Arc<Shared>,
    /// Answers are outstanding.
    pub(super) busy: bool,
    /// A transaction is open, or may be.
    pub(super) open: bool,
    /// A statement may have left something on the session.
    pub(super) dirty: bool,
}

/// How long an abandoned statement may run on before the server is asked to stop it. Most are done
/// by then, and a cancel request costs a connection of its own.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long the server may take to stop it before the connection is closed.
const LAST_CALL: Duration = Duration::from_secs(5);

impl Lease {
    pub(super) fn new(mut object: Object<Manager>, shared: Arc<Shared>) -> Self {
        object.next_user();
        let dirty = shared.limits.single_use;
        Self {
            object: Some(object),
            shared,
            busy: false,
            open: false,
            dirty,
        }
    }

    pub(super) fn conn(&mut self) -> Result<&mut Conn, Error> {
        self.object
            .as_deref_mut()
            .ok_or_else(|| Error::Connect("the connection is gone".into()))
    }

    /// Translates an error. What stopped a statement may be a limit that an earlier user of the
    /// session has hidden there, so it is not used again.
    pub(super) fn failed(&mut self, error: tokio_postgres::Error) -> Error {
        let error = Error::from(error);
        self.dirty |= matches!(error, Error::Timeout);
        error
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else {
            return;
        };
        if !self.busy && !self.open {
            if self.dirty {
                close(object, &self.shared, Closed::Dirty);
            }
            return;
        }
        let (shared, dirty) = (self.shared.clone(), self.dirty);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(settle(object, shared, dirty))),
            Err(_) => close(object, &shared, Closed::Abandoned),
        }
    }
}

/// Brings an abandoned session to rest and gives it back, or closes it.
async fn settle(object: Object<Manager>, shared: Arc<Shared>, dirty: bool) {
    let at_rest = {
        // Queued behind whatever is outstanding, so its answer means that all of it is over. Without
        // a transaction it is a warning in the server's log at most.
        let mut rollback = pin!(object.client.batch_execute("ROLLBACK"));
        match in_time(PATIENCE, rollback.as_mut()).await {
            Some(answer) => answer,
            None => {
                let token = object.client.cancel_token();
                if in_time(LAST_CALL, shared.connector.cancel(&token)).await == Some(true) {
                    in_time(LAST_CALL, rollback).await;
                }
                // Nobody says when the server passes the request on to the backend. It could meet
                // the next borrower's work, so there is none.
                false
            }
        }
    };
    if !at_rest {
        close(object, &shared, Closed::Abandoned);
    } else if dirty {
        close(object, &shared, Closed::Dirty);
    }
}

async fn in_time<F, E>(limit: Duration, future: F) -> Option<bool>
where
    F: Future<Output = Result<(), E>>,
{
    tokio::time::timeout(limit, future)
        .await
        .ok()
        .map(|answer| answer.is_ok())
}

fn close(object: Object<Manager>, shared: &Shared, because: Closed) {
    drop(Object::take(object));
    shared.record(Event::Closed {
        login: shared.connector.login(),
        because,
    });
}
