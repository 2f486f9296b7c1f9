use serde_json::json;
use uuid::Uuid;

use super::{AuditEntry, Error, Event, RequestAccount, change::Change, member::undeclared};
use crate::db::Sql as _;

impl RequestAccount {
    /// Gives a member a permission by itself, beside what their roles allow.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `member.write`; [`Error::GrantsMore`] for a permission that the
    /// actor does not hold; [`Error::NotFound`] for an account that is not the tenant's;
    /// [`Error::Invalid`] for a permission that is not declared; and what the database reports.
    pub async fn grant_give(&self, account: Uuid, permission: &str) -> Result<(), Error> {
        let tx = self.grant_change(account, permission).await?;
        tx.execute_sql(
            "INSERT INTO identity.account_grant (account_id, permission) VALUES ($1, $2) \
             ON CONFLICT DO NOTHING",
            [account.into(), permission.into()],
        )
        .await?;
        tx.grant_commit(account, permission, "grant.given").await
    }

    /// Takes a permission that a member has by itself. What their roles allow stays.
    ///
    /// # Errors
    ///
    /// As for [`grant_give`](Self::grant_give); [`Error::NotFound`] also where the account has no such
    /// permission by itself.
    pub async fn grant_take(&self, account: Uuid, permission: &str) -> Result<(), Error> {
        let tx = self.grant_change(account, permission).await?;
        let taken = tx
            .execute_sql(
                "DELETE FROM identity.account_grant WHERE account_id = $1 AND permission = $2",
                [account.into(), permission.into()],
            )
            .await?;
        if taken == 0 {
            return Err(Error::NotFound);
        }
        tx.grant_commit(account, permission, "grant.taken").await
    }

    async fn grant_change(&self, account: Uuid, permission: &str) -> Result<Change<'_>, Error> {
        let permissions = self.identity().permissions();
        let tx = self.change("member.write").await?;
        let wanted = permissions.effective(&[], &[permission.to_owned()]);
        if !permissions.is_declared(permission) {
            return Err(undeclared(permission));
        }
        tx.require_all(&wanted)?;
        let found = tx
            .rows(
                "SELECT id FROM identity.account WHERE id = $1 AND removed_at IS NULL",
                [account.into()],
            )
            .await?;
        if found.is_empty() {
            return Err(Error::NotFound);
        }
        Ok(tx)
    }
}

impl Change<'_> {
    async fn grant_commit(
        self,
        account: Uuid,
        permission: &str,
        action: &str,
    ) -> Result<(), Error> {
        let entry = AuditEntry::new(action).on(account);
        self.audit(entry.with(json!({"permission": permission})))
            .await?;
        let tenant = self.tenant();
        self.commit([Event::RightsChanged {
            tenant,
            account: Some(account),
        }])
        .await
    }
}
