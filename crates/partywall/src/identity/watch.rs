use futures_core::Stream;
use futures_util::StreamExt as _;

use super::{Error, RequestAccount, TenantSelector};

impl RequestAccount {
    /// Lets a long answer go on for as long as the account may have it, and ends it no later than
    /// [`Settings::recheck`](super::Settings::recheck) after that: when the person was removed,
    /// deactivated or signed out, the key was taken back, the tenant was suspended, or the permission
    /// is gone. An answer that cannot be checked ends as well.
    ///
    /// A stream that nobody reads is not asked; it is when the next of it is wanted.
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
        let account = self.clone();
        stream.take_until(async move {
            loop {
                tokio::time::sleep(account.identity().settings().recheck).await;
                match account.is_still(&is_allowed).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(%error, "a long answer ends: its right cannot be checked");
                        break;
                    }
                }
            }
        })
    }

    /// Whether the account is allowed something now, asked as for a new request, but that it does not
    /// count as using the session.
    async fn is_still(
        &self,
        is_allowed: &(impl Fn(&Self) -> bool + ?Sized),
    ) -> Result<bool, Error> {
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
            (None, None) => return Ok(false),
        };
        match found.and_then(|found| found.account()) {
            Ok(account) => Ok(account.id() == self.id() && is_allowed(&account)),
            Err(Error::Anonymous | Error::NotFound | Error::Suspended) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
