//! Whether something is the tenant's. Nothing else of it is told, and no permission is asked for: what
//! an address names is looked for first, and whether the account may use it is asked then.

use uuid::Uuid;

use super::{Error, RequestAccount};
use crate::db::Sql as _;

impl RequestAccount {
    /// Whether an account is a member of the tenant.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where it is not, and what the database reports.
    pub async fn member_known(&self, account: Uuid) -> Result<(), Error> {
        let sql =
            "SELECT EXISTS (SELECT FROM identity.account WHERE id = $1 AND removed_at IS NULL)";
        self.known(sql, account).await
    }

    /// Whether a role is the tenant's.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where it is not, and what the database reports.
    pub async fn role_known(&self, role: Uuid) -> Result<(), Error> {
        let sql = "SELECT EXISTS (SELECT FROM identity.role WHERE id = $1)";
        self.known(sql, role).await
    }

    /// Whether a group is the tenant's.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where it is not, and what the database reports.
    pub async fn group_known(&self, group: Uuid) -> Result<(), Error> {
        let sql = "SELECT EXISTS (SELECT FROM identity.account_group WHERE id = $1)";
        self.known(sql, group).await
    }

    /// Whether an invitation is the tenant's, not accepted and not taken back.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where it is not, and what the database reports.
    pub async fn invitation_known(&self, invitation: Uuid) -> Result<(), Error> {
        let sql = "SELECT EXISTS (SELECT FROM identity.invitation \
                   WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL)";
        self.known(sql, invitation).await
    }

    /// Whether a key is the tenant's, not taken back, and not somebody else's for whoever has neither
    /// `key.read` nor `key.write`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where it is not, and what the database reports.
    pub async fn key_known(&self, key: Uuid) -> Result<(), Error> {
        let sees_all = self.has("key.read") || self.has("key.write");
        let sql = "SELECT EXISTS (SELECT FROM identity.api_key \
                   WHERE id = $1 AND revoked_at IS NULL AND ($2 OR account_id = $3))";
        let is_known: bool = self
            .reading()
            .scalar(sql, [key.into(), sees_all.into(), self.id().into()])
            .await?;
        if is_known {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    async fn known(&self, sql: &'static str, id: Uuid) -> Result<(), Error> {
        let is_known: bool = self.reading().scalar(sql, [id.into()]).await?;
        if is_known {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }
}
