use std::future::Future;

use super::{Scope, ScopeError};

tokio::task_local! {
    static CURRENT: Scope;
}

impl Scope {
    /// Runs a future with this scope ambient: inside it [`Scope::current`] answers this scope.
    ///
    /// The scope is bound to the future, not to the thread: it is set each time the future is
    /// polled and unset when the poll returns, so it ends with the future however that ends, be it
    /// by an error, a panic or by being dropped, and it never colours another task.
    ///
    /// # Errors
    ///
    /// [`ScopeErrorKind::Widens`](super::ScopeErrorKind::Widens), without polling the future, when
    /// there is an ambient scope already and this one reaches further.
    pub async fn enter<F: Future>(&self, future: F) -> Result<F::Output, ScopeError> {
        if let Ok(outer) = Self::current() {
            self.check_within(&outer)?;
        }
        Ok(CURRENT.scope(self.clone(), future).await)
    }

    /// The ambient scope of the running task.
    ///
    /// # Errors
    ///
    /// [`ScopeErrorKind::Unset`](super::ScopeErrorKind::Unset) when there is none: outside of
    /// [`enter`](Scope::enter), and in a task that was spawned without [`carry`].
    pub fn current() -> Result<Self, ScopeError> {
        CURRENT
            .try_with(Self::clone)
            .map_err(|_| ScopeError::unset(super::TENANT.name()))
    }
}

/// Takes the ambient scope along into a spawned task: `tokio::spawn(carry(work)?)`.
///
/// A spawned task has no scope of its own accord, because it may outlive the work that was checked.
/// Carrying it over is a decision, and this is its name.
///
/// # Errors
///
/// [`ScopeErrorKind::Unset`](super::ScopeErrorKind::Unset) when there is no ambient scope to take.
pub fn carry<F: Future>(future: F) -> Result<impl Future<Output = F::Output> + use<F>, ScopeError> {
    let scope = Scope::current()?;
    Ok(CURRENT.scope(scope, future))
}
