use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{broadcast, watch},
    task::JoinHandle,
};

use super::{
    announcement::{Announcement, Told},
    listener,
};
use crate::{
    connect::Connector,
    db::{Error, NoLogin},
    schema::Schema,
    scope::ScopeValue,
};

/// How many announcements of a tenant wait for its slowest subscriber, who is told to resync when it
/// falls further behind. They are shared by all subscribers of the tenant.
const WAITING: usize = 64;

/// The hub of a process, or what it takes to start it. Never leaves this room.
pub(in crate::db) struct Listening {
    connector: Option<Connector>,
    tables: Vec<Arc<Told>>,
    limit: Duration,
    hub: OnceLock<Arc<Hub>>,
}

impl Listening {
    pub(in crate::db) fn new(
        connector: Option<Connector>,
        schema: &Schema,
        limit: Duration,
    ) -> Self {
        Self {
            connector,
            tables: Told::of(schema),
            limit,
            hub: OnceLock::new(),
        }
    }

    pub(super) fn tables(&self) -> &[Arc<Told>] {
        &self.tables
    }

    /// The hub, started when somebody first asks for it.
    pub(super) fn hub(&self) -> Result<&Arc<Hub>, Error> {
        let connector = self.connector.as_ref().ok_or(NoLogin::Listen)?;
        Ok(self
            .hub
            .get_or_init(|| Arc::new(Hub::start(connector, &self.tables, self.limit))))
    }
}

/// What a subscriber is sent.
#[derive(Clone)]
pub(super) enum Heard {
    Told(Arc<Announcement>),
    Resync,
}

/// Passes on what the process's one listening connection hears. It lives for as long as the `Db` or a
/// subscriber does.
pub(super) struct Hub {
    board: Arc<Board>,
    limit: Duration,
    listener: JoinHandle<()>,
}

impl Hub {
    fn start(connector: &Connector, tables: &[Arc<Told>], limit: Duration) -> Self {
        let board = Arc::new(Board {
            tables: tables.to_vec(),
            seats: Mutex::default(),
            is_listening: watch::Sender::new(false),
        });
        let listener = listener::listen(connector.clone(), board.clone(), limit);
        Self {
            board,
            limit,
            listener: tokio::spawn(listener),
        }
    }

    /// Waits until what is committed from now on is heard.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`].
    pub(super) async fn ready(&self) -> Result<(), Error> {
        let mut state = self.board.is_listening.subscribe();
        let ready = state.wait_for(|is_listening| *is_listening);
        match tokio::time::timeout(self.limit, ready).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(closed)) => Err(Error::Connect(closed.into())),
            Err(elapsed) => Err(Error::Connect(elapsed.into())),
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// The subscribers by their tenant; without one, those who hear only of what belongs to no tenant.
type Seats = HashMap<Option<ScopeValue>, broadcast::Sender<Heard>>;

/// What the listener and the subscribers share.
pub(super) struct Board {
    tables: Vec<Arc<Told>>,
    seats: Mutex<Seats>,
    pub(super) is_listening: watch::Sender<bool>,
}

impl Board {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a notification on.
    pub(super) fn tell(&self, payload: &str) {
        let Some(announcement) = Announcement::parse(payload, &self.tables) else {
            tracing::debug!("an announcement is not understood");
            return;
        };
        let tenant = announcement.tenant().cloned();
        let heard = Heard::Told(Arc::new(announcement));
        if tenant.is_some() {
            if let Some(seats) = self.seats().get(&tenant) {
                let _ = seats.send(heard);
            }
        } else {
            self.tell_all(&heard);
        }
    }

    /// Tells everybody that something may have been missed.
    pub(super) fn resync(&self) {
        self.tell_all(&Heard::Resync);
    }

    fn tell_all(&self, heard: &Heard) {
        for seats in self.seats().values() {
            // An error says that nobody listens.
            let _ = seats.send(heard.clone());
        }
    }
}

/// One subscriber's place for one tenant. Nothing is left of it when it is dropped.
pub(super) struct Seat {
    hub: Arc<Hub>,
    tenant: Option<ScopeValue>,
    heard: Option<broadcast::Receiver<Heard>>,
}

impl Seat {
    pub(super) fn take(hub: &Arc<Hub>, tenant: Option<ScopeValue>) -> Self {
        let heard = hub
            .board
            .seats()
            .entry(tenant.clone())
            .or_insert_with(|| broadcast::Sender::new(WAITING))
            .subscribe();
        Self {
            hub: hub.clone(),
            tenant,
            heard: Some(heard),
        }
    }

    /// What is heard next; `Resync` where something was missed.
    pub(super) async fn next(&mut self) -> Option<Heard> {
        match self.heard.as_mut()?.recv().await {
            Ok(heard) => Some(heard),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Heard::Resync),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.hub.board.seats();
        self.heard = None;
        if seats
            .get(&self.tenant)
            .is_some_and(|others| others.receiver_count() == 0)
        {
            seats.remove(&self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::ScopeValue::BigInt;

    fn hub() -> Arc<Hub> {
        Arc::new(Hub {
            board: Arc::new(Board {
                tables: Vec::new(),
                seats: Mutex::default(),
                is_listening: watch::Sender::new(true),
            }),
            limit: Duration::ZERO,
            listener: tokio::spawn(std::future::pending()),
        })
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_seat() {
        let hub = hub();
        let take = |n| Seat::take(&hub, Some(BigInt(n)));
        let mut stays = take(0);
        let leave: Vec<_> = (0..1_000).map(|n| take(n % 10)).collect();
        assert_eq!(hub.board.seats().len(), 10);
        // At once, from several threads: the last of each tenant takes the place along.
        let leaving = leave
            .into_iter()
            .map(|seat| tokio::task::spawn_blocking(|| drop(seat)));
        futures_util::future::join_all(leaving).await;
        assert_eq!(hub.board.seats().len(), 1);
        hub.board.resync();
        assert!(matches!(stays.next().await, Some(Heard::Resync)));
        let board = hub.board.clone();
        drop((hub, stays));
        assert!(board.seats().is_empty());
    }
}
