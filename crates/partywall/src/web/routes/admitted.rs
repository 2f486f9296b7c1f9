use std::{
    any::Any,
    fmt,
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{super::Problem, parameter::Thing};
use crate::{
    db::{Committing, Error, Tx},
    identity::RequestAccount,
    policy::{Action, Decide, Fields, Question, RequestFacts, Rows, Subject},
};

/// What the check has found out about a request, for the handler's extractors.
#[derive(Clone)]
pub(in crate::web) struct Admitted {
    pub(in crate::web) account: RequestAccount,
    pub(in crate::web) things: Vec<Thing>,
    pub(super) permitted: Permitted,
    pub(super) tx: Option<Arc<Held>>,
}

/// A transaction on its way to the handler, and whether it came to an end.
pub(super) struct Held {
    tx: Mutex<Option<Tx>>,
    was_taken: AtomicBool,
    was_ended: AtomicBool,
}

impl Held {
    pub(super) fn new(tx: Tx) -> Self {
        Self {
            tx: Mutex::new(Some(tx)),
            was_taken: AtomicBool::new(false),
            was_ended: AtomicBool::new(false),
        }
    }

    fn take(&self) -> Option<Tx> {
        self.was_taken.store(true, Ordering::Release);
        self.tx
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Whether a handler took the transaction and said nothing of how it ends.
    pub(super) fn was_forgotten(&self) -> bool {
        self.was_taken.load(Ordering::Acquire) && !self.was_ended.load(Ordering::Acquire)
    }
}

/// The thing that the path names, of a type: a row's model, or what
/// [`Parameter::found`](super::Parameter::found) found. The last one where there are several.
#[derive(Clone, Copy, Debug)]
pub struct Found<T>(pub T);

impl<S, T> FromRequestParts<S> for Found<T>
where
    S: Send + Sync,
    T: Clone + Send + Sync + 'static,
{
    type Rejection = Problem;

    /// A handler that asks for what its path does not name is a mistake: 500, and the log says so.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let admitted = parts.extensions.get::<Admitted>();
        let things = admitted.map(|admitted| admitted.things.as_slice());
        let found = things
            .unwrap_or_default()
            .iter()
            .rev()
            .find_map(|thing| thing.downcast_ref::<T>());
        found
            .cloned()
            .map(Self)
            .ok_or_else(|| mistake("`Found` of a type that the path of the endpoint does not name"))
    }
}

/// The transaction of an endpoint that is [`in_transaction`](super::Endpoint::in_transaction).
///
/// A handler that drops it has done nothing. One that answers with success and has neither committed
/// nor rolled back is answered for with 500: it believes to have written something.
#[derive(Debug)]
pub struct Writing {
    tx: Tx,
    held: Arc<Held>,
}

impl Writing {
    /// Makes the work permanent.
    ///
    /// # Errors
    ///
    /// As for [`Tx::commit`].
    pub async fn commit(self) -> Result<(), Error> {
        let Self { tx, held } = self;
        tx.commit().await?;
        held.was_ended.store(true, Ordering::Release);
        Ok(())
    }

    /// Undoes the work.
    ///
    /// # Errors
    ///
    /// As for [`Tx::rollback`].
    pub async fn rollback(self) -> Result<(), Error> {
        self.into_tx().rollback().await
    }

    /// The last statement, which carries the COMMIT with it: see [`Tx::committing`].
    pub fn committing(self) -> Committing {
        self.into_tx().committing()
    }

    /// The transaction itself, for whoever ends it.
    pub fn into_tx(self) -> Tx {
        self.held.was_ended.store(true, Ordering::Release);
        self.tx
    }
}

impl Deref for Writing {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Writing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let admitted = parts.extensions.get::<Admitted>();
        let held = admitted.and_then(|admitted| admitted.tx.clone());
        held.and_then(|held| {
            Some(Self {
                tx: held.take()?,
                held,
            })
        })
        .ok_or_else(|| {
            mistake("`Writing` twice, or at an endpoint that is not `.in_transaction()`")
        })
    }
}

/// What was decided about a request, for handlers that show lists and fields: the same policy says
/// which of them.
#[derive(Clone)]
pub struct Permitted {
    pub(super) policy: Arc<dyn Decide>,
    pub(super) subject: Arc<Subject>,
    pub(super) action: Arc<Action>,
    pub(super) request: Arc<RequestFacts>,
    pub(super) object: Option<Thing>,
}

impl Permitted {
    /// The question that was asked, which may be asked again for another object.
    #[must_use]
    pub fn question(&self) -> Question<'_> {
        Question {
            subject: &self.subject,
            action: &self.action,
            request: &self.request,
            object: self.object.as_deref(),
        }
    }

    /// Which rows a list shows.
    #[must_use]
    pub fn rows(&self) -> Rows {
        self.policy.rows(&self.question())
    }

    /// Asks again, about an object: a row that was made or is about to be changed.
    ///
    /// # Errors
    ///
    /// [`Problem::forbidden`], and [`Problem::internal`] where it [could not be
    /// decided](crate::policy::Decision::failed).
    pub fn check(&self, object: &(dyn Any + Send + Sync)) -> Result<(), Problem> {
        let decision = self.policy.decide(&self.question().about(object));
        if decision.is_allowed() {
            return Ok(());
        }
        tracing::debug!(reason = %decision, "access was denied");
        Err(match decision.failed() {
            true => Problem::internal(),
            false => Problem::forbidden(),
        })
    }

    /// Which fields are hidden or frozen.
    #[must_use]
    pub fn fields(&self) -> Fields {
        self.policy.fields(&self.question())
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &dyn Decide {
        self.policy.as_ref()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let admitted = parts.extensions.get::<Admitted>();
        admitted
            .map(|admitted| admitted.permitted.clone())
            .ok_or_else(|| mistake("`Permitted` at an endpoint that asks for no account"))
    }
}

fn mistake(what: &'static str) -> Problem {
    tracing::error!(what, "a handler asks for what its endpoint does not have");
    Problem::internal()
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

impl fmt::Debug for Permitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permitted")
            .field("policy", &self.policy.name())
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}
