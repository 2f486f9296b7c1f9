use serde_json::json;
use uuid::Uuid;

use super::{Actor, AuditEntry, BuiltIn, Error, Event, RequestAccount};
use crate::db::Sql as _;

impl RequestAccount {
    /// Hands the tenant over: the other account becomes an owner and the actor's an admin, both at
    /// once or neither.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `tenant.transfer` or where the actor is no owner by itself;
    /// [`Error::NotFound`] for an account that is not the tenant's, is not active, or whose person
    /// cannot sign in; [`Error::Invalid`] for one's own; [`Error::Impersonating`] while acting as
    /// somebody else; and what the database reports.
    pub async fn transfer(&self, to: Uuid) -> Result<(), Error> {
        self.refuse_impersonation()?;
        let forbidden = || Error::Forbidden("tenant.transfer".to_owned());
        let Actor::Member { account: from, .. } = *self.actor() else {
            return Err(forbidden());
        };
        let tx = self.change("tenant.transfer").await?;
        if to == from {
            return Err(Error::invalid("account", "the tenant is yours already"));
        }
        let (owner, admin) = (
            tx.builtin_role(BuiltIn::Owner).await?,
            tx.builtin_role(BuiltIn::Admin).await?,
        );
        let found = tx
            .rows(
                "SELECT id FROM identity.account WHERE id = $1 AND deactivated_at IS NULL \
                 AND partywall.identity_is_live(user_id)",
                [to.into()],
            )
            .await?;
        if found.is_empty() {
            return Err(Error::NotFound);
        }
        let given_up = tx
            .execute_sql(
                "DELETE FROM identity.account_role WHERE account_id = $1 AND role_id = $2",
                [from.into(), owner.into()],
            )
            .await?;
        if given_up == 0 {
            return Err(forbidden());
        }
        tx.execute_sql(
            "INSERT INTO identity.account_role (account_id, role_id) VALUES ($1, $2), ($3, $4) \
             ON CONFLICT DO NOTHING",
            [to.into(), owner.into(), from.into(), admin.into()],
        )
        .await?;
        let entry = AuditEntry::new("tenant.transferred").on(to);
        tx.audit(entry.with(json!({"from": from}))).await?;
        let tenant = tx.tenant();
        let changed = |account| Event::RightsChanged {
            tenant,
            account: Some(account),
        };
        tx.commit([changed(to), changed(from)]).await
    }
}
