use sea_orm::FromQueryResult;
use serde_json::json;
use uuid::Uuid;

use super::{
    AuditEntry, Error, Identity, RequestAccount, RequestUser, TenantSelector, USER,
    authenticate::{nobody, seconds},
};
use crate::db::Sql as _;

/// An account of the person who asks, and the tenant that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountInfo {
    /// Its id.
    pub id: Uuid,
    /// How the tenant knows the person.
    pub name: String,
    /// The tenant.
    pub tenant_id: Uuid,
    /// What addresses say for it.
    pub slug: String,
    /// What people say for it.
    pub tenant_name: String,
    /// Whether the tenant's members are kept out.
    pub is_suspended: bool,
    /// Whether the tenant was deleted and can still be brought back.
    pub is_deleted: bool,
    /// Whether the session's current account is this one.
    pub is_current: bool,
}

#[derive(FromQueryResult)]
struct Row {
    account_id: Uuid,
    account_name: String,
    tenant_id: Uuid,
    slug: String,
    tenant_name: String,
    is_active: bool,
    is_suspended: bool,
    is_deleted: bool,
}

impl Identity {
    /// The accounts of whoever asks, by the names of their tenants: all my tenants. Not those that
    /// were deactivated, which open nothing.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn accounts(&self, user: &RequestUser) -> Result<Vec<AccountInfo>, Error> {
        let rows = self.account_rows(user, None).await?;
        let active = rows.into_iter().filter(|row| row.is_active);
        let info = |row: Row| AccountInfo {
            is_current: Some(row.account_id) == user.current_account,
            id: row.account_id,
            name: row.account_name,
            tenant_id: row.tenant_id,
            slug: row.slug,
            tenant_name: row.tenant_name,
            is_suspended: row.is_suspended,
            is_deleted: row.is_deleted,
        };
        Ok(active.map(info).collect())
    }

    /// Makes another account of whoever asks the current one of their session, and of no other
    /// session. The next one that they open begins there as well.
    ///
    /// Whatever the error, nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for an id that is unknown, malformed or somebody else's, and for an
    /// account that was deactivated: one and the same. [`Error::Suspended`] where the tenant is.
    /// [`Error::Anonymous`] when the session has ended meanwhile, and what the database reports.
    pub async fn switch(&self, user: &RequestUser, account: &str) -> Result<RequestAccount, Error> {
        let wanted = Uuid::try_parse(account)
            .ok()
            .filter(|id| id.to_string() == account)
            .ok_or(Error::NotFound)?;
        let rows = self.account_rows(user, Some(wanted)).await?;
        let tenant = rows.first().map(|row| TenantSelector::Id(row.tenant_id));
        // Also where there is no such account: that the session has ended is another answer.
        let found = self
            .authenticate(
                &user.token,
                tenant.unwrap_or(TenantSelector::Current),
                user.address,
            )
            .await?;
        let row = rows.first().ok_or(Error::NotFound)?;
        let account = found.account()?;
        if account.id() != Some(wanted) {
            return Err(Error::NotFound);
        }
        let tx = account.manage([USER.is(user.id)]).await?;
        // Whoever acts as somebody else leaves no trace in where that person begins.
        if user.impersonator.is_none() {
            tx.execute_sql(
                "UPDATE identity.\"user\" SET last_account = $2 WHERE id = $1",
                [user.id.into(), wanted.into()],
            )
            .await?;
        }
        let switched = tx
            .execute_sql(
                "UPDATE identity.session SET current_account = $3, current_tenant = $4 \
                 WHERE id = $1 AND token_hash = $2",
                [
                    user.session_id.into(),
                    user.token.0.hash().into(),
                    wanted.into(),
                    row.tenant_id.into(),
                ],
            )
            .await?;
        if switched == 0 {
            return Err(Error::Anonymous);
        }
        let entry = AuditEntry::new("account.switched")
            .on(wanted)
            .with(json!({ "session": user.session_id }));
        account.audit(&tx, entry).await?;
        tx.commit().await?;
        Ok(account)
    }

    async fn account_rows(
        &self,
        user: &RequestUser,
        wanted: Option<Uuid>,
    ) -> Result<Vec<Row>, Error> {
        let rows = self
            .inner
            .db
            .identity(&nobody())
            .read_only()
            .all(
                "SELECT * FROM partywall.identity_accounts($1, $2, $3)",
                [
                    user.token.0.hash().into(),
                    seconds(self.settings().idle).into(),
                    wanted.into(),
                ],
            )
            .await?;
        Ok(rows)
    }
}
