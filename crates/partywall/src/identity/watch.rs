use std::time::Duration;

use futures_core::Stream;
use futures_util::{StreamExt as _, stream};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, sleep_until, timeout},
};

use super::{Actor, Error, RequestAccount, TenantSelector};
use crate::db::Subscription;

/// How long to wait for an answer at least, however short the time is after which it is asked again.
const LEAST_LIMIT: Duration = Duration::from_secs(1);

impl RequestAccount {
    /// Begins to ask for what becomes of the tenant's rows:
    /// `account.changes().of::<note::Entity>().subscribe()`. For an answer, wrap them into
    /// [`while_permitted`](Self::while_permitted).
    pub fn changes(&self) -> Subscription {
        self.identity().db().changes(self.scope())
    }

    /// Lets a long answer go on for as long as the account may have it, and ends it no later than
    /// [`Settings::recheck`](super::Settings::recheck) after that: when the person was removed,
    /// deactivated or signed out, the key was taken back, the tenant was suspended, or the permission
    /// is gone. An answer that cannot be checked in that time ends as well. What this process does to
    /// an account by itself ends it at once.
    ///
    /// A stream that nobody reads is not asked; when the next of it is wanted, it is asked first.
    pub fn while_permitted<S>(
        &self,
        permission: &'static str,
        stream: S,
    ) -> impl Stream<Item = S::Item> + use<S>
    where
        S: Stream,
    {
        self.while_allowed(move |account| account.has(permission), stream)
    }

    /// Like [`while_permitted`](Self::while_permitted), for as long as `is_allowed` says of the account as
    /// it is then that it may have the answer: where a policy decides, and not one permission.
    pub fn while_allowed<S, F>(
        &self,
        is_allowed: F,
        stream: S,
    ) -> impl Stream<Item = S::Item> + use<S, F>
    where
        S: Stream,
        F: Fn(&Self) -> bool + Send + Sync + 'static,
    {
        let recheck = self.identity().settings().recheck;
        // The last fifth is for the asking; who wants to be asked more often waits for a slow database.
        let (rest, limit) = (recheck * 4 / 5, (recheck / 5).max(LEAST_LIMIT));
        let state = State {
            events: self.identity().events(),
            account: self.clone(),
            stream: Box::pin(stream),
            due: Instant::now() + rest,
            is_allowed,
        };
        stream::unfold(state, move |mut state| async move {
            loop {
                tokio::select! {
                    // Nothing is passed on while it is in doubt.
                    biased;
                    () = sleep_until(state.due) => {}
                    () = changed(&mut state.events, &state.account) => {}
                    item = state.stream.next() => return item.map(|item| (item, state)),
                }
                if !state.account.is_still(&state.is_allowed, limit).await {
                    return None;
                }
                state.due = Instant::now() + rest;
            }
        })
        // Compression asks again at the end.
        .fuse()
    }

    /// Whether the account is allowed something, as far as that can be told in time.
    async fn is_still<F>(&self, is_allowed: &F, limit: Duration) -> bool
    where
        F: Fn(&Self) -> bool + Send + Sync,
    {
        // In a box: it is large, and most of the time there is none.
        match timeout(limit, Box::pin(self.now())).await {
            Ok(Ok(now)) => now.is_some_and(|now| is_allowed(&now)),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a long answer ends: its right cannot be checked");
                false
            }
            Err(_) => {
                tracing::warn!("a long answer ends: its right cannot be checked in time");
                false
            }
        }
    }

    /// The account as it is now, if it still is, asked as for a new request, but that it does not count
    /// as using the session.
    async fn now(&self) -> Result<Option<Self>, Error> {
        let tenant = TenantSelector::Id(self.tenant().id);
        let found = match (self.user(), self.key()) {
            (Some(user), _) => {
                let found = self
                    .identity()
                    .session_find(&user.token, tenant, None)
                    .await;
                found.map(|(found, _)| found)
            }
            (None, Some(key)) => self.identity().authenticate_key(key, tenant, None).await,
            (None, None) => return Ok(None),
        };
        match found.and_then(|found| found.account()) {
            Ok(account) => Ok((account.id() == self.id()).then_some(account)),
            Err(Error::Anonymous | Error::NotFound | Error::Suspended) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The person behind it, where there is one.
    fn whose_user(&self) -> Option<uuid::Uuid> {
        match self.actor() {
            Actor::Key { user, .. } => *user,
            Actor::Member { .. } | Actor::Staff { .. } => self.user().map(|user| user.id),
        }
    }
}

struct State<S, F> {
    events: tokio::sync::broadcast::Receiver<super::Event>,
    account: RequestAccount,
    stream: std::pin::Pin<Box<S>>,
    /// When it is to be asked again.
    due: Instant,
    is_allowed: F,
}

/// Waits until this process has done something that may have taken a right from the account.
async fn changed(
    events: &mut tokio::sync::broadcast::Receiver<super::Event>,
    account: &RequestAccount,
) {
    loop {
        match events.recv().await {
            Ok(event) => {
                if event.may_take_from(account.tenant().id, account.id(), account.whose_user()) {
                    return;
                }
            }
            Err(RecvError::Lagged(_)) => return,
            // The account holds what sends them.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
