use futures_core::Stream;
use futures_util::StreamExt as _;
use sea_orm::FromQueryResult;

use super::{Actor, BuiltIn, Error, RequestAccount, authenticate::seconds};
use crate::db::Sql as _;

/// What is left of a right that a long answer began with.
#[derive(FromQueryResult)]
struct Left {
    is_open: bool,
    /// What the key allows at most; nothing where a person asks.
    most: Vec<String>,
    builtins: Vec<String>,
    permissions: Vec<String>,
}

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
        let account = self.clone();
        stream.take_until(async move {
            loop {
                tokio::time::sleep(account.identity().settings().recheck).await;
                match account.still_has(permission).await {
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

    /// Whether the account has a permission now. Does not count as using the session.
    async fn still_has(&self, permission: &str) -> Result<bool, Error> {
        let tenant = self.tenant().id;
        let left: Option<Left> = match self.user() {
            Some(user) => {
                let idle = seconds(self.identity().settings().idle);
                let sql = "SELECT (account_id IS NOT DISTINCT FROM $4 \
                           AND (account_id IS NOT NULL OR staff_entry IS NOT NULL) \
                           AND NOT is_suspended AND delete_after IS NULL) IS TRUE AS is_open, \
                           '{}'::text[] AS most, builtins, permissions \
                           FROM partywall.identity_session($1, $2, $3, NULL)";
                let session = user.token.0.hash().into();
                let parameters = [session, idle.into(), tenant.into(), self.id().into()];
                self.reading().optional(sql, parameters).await?
            }
            None => {
                let sql = "SELECT (k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true) \
                           AND t.suspended_at IS NULL AND t.delete_after IS NULL \
                           AND (k.account_id IS NULL OR a.deactivated_at IS NULL \
                                AND partywall.identity_is_live(a.user_id))) IS TRUE AS is_open, \
                           k.permissions::text[] AS most, coalesce(r.builtins, '{}') AS builtins, \
                           coalesce(r.permissions, '{}') AS permissions \
                           FROM identity.api_key k JOIN identity.tenant t ON t.id = k.tenant_id \
                           LEFT JOIN identity.account a ON a.id = k.account_id \
                           LEFT JOIN LATERAL partywall.identity_rights(t.id, a.id) r ON a.id IS NOT NULL \
                           WHERE k.id = $1";
                let Actor::Key { key, .. } = *self.actor() else {
                    return Ok(false);
                };
                self.reading().optional(sql, [key.into()]).await?
            }
        };
        let permissions = self.identity().permissions();
        Ok(left.is_some_and(|left| {
            let own = permissions.effective(&left.builtins, &left.permissions);
            let most = permissions.effective(&[], &left.most);
            left.is_open
                && match self.actor() {
                    Actor::Member { .. } => own.has(permission),
                    Actor::Staff { .. } => permissions.of(BuiltIn::Viewer).has(permission),
                    Actor::Key { account: None, .. } => most.has(permission),
                    Actor::Key { .. } => own.has(permission) && most.has(permission),
                }
        }))
    }
}
