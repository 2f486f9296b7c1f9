use chrono::Utc;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Actor, Error, RequestAccount, RequestUser, model::audit};
use crate::db::Tx;

/// What is written down of something that was done: the action, and what it was done to.
#[derive(Clone, Debug)]
pub struct AuditEntry<'a> {
    action: &'a str,
    target: Option<String>,
    detail: Json,
}

impl<'a> AuditEntry<'a> {
    /// An action: `member.invited`.
    #[must_use]
    pub fn new(action: &'a str) -> Self {
        Self {
            action,
            target: None,
            detail: Json::Object(serde_json::Map::new()),
        }
    }

    /// What it was done to.
    #[must_use]
    pub fn on(mut self, target: impl ToString) -> Self {
        self.target = Some(target.to_string());
        self
    }

    /// Particulars. No secrets.
    #[must_use]
    pub fn with(mut self, detail: Json) -> Self {
        self.detail = detail;
        self
    }
}

impl RequestUser {
    /// Writes an entry into the audit log of a tenant that the person has no account in, as a member
    /// of the staff. The transaction's scope holds the tenant.
    pub(super) async fn audit_in(
        &self,
        tx: &Tx,
        tenant: Uuid,
        entry: AuditEntry<'_>,
    ) -> Result<(), Error> {
        let row = audit::ActiveModel {
            id: Set(Uuid::now_v7()),
            tenant_id: Set(tenant),
            at: Set(Utc::now()),
            action: Set(entry.action.to_owned()),
            actor_user: Set(Some(self.id)),
            actor_account: Set(None),
            actor_name: Set(self.name.clone()),
            subject_user: Set(None),
            target: Set(entry.target),
            detail: Set(entry.detail),
            address: Set(self.address.map(|address| address.to_string())),
        };
        audit::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }
}

impl RequestAccount {
    /// Writes an entry into the tenant's audit log, in the transaction that it tells of: who did it
    /// (and as whom), what, when and from where. The application adds its own the same way.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn audit(&self, tx: &Tx, entry: AuditEntry<'_>) -> Result<(), Error> {
        let user = self.user();
        let person = match self.actor() {
            Actor::Key { user, .. } => *user,
            Actor::Member { .. } | Actor::Staff { .. } => user.map(|user| user.id),
        };
        let impersonator = user.and_then(|user| user.impersonator);
        let row = audit::ActiveModel {
            id: Set(Uuid::now_v7()),
            tenant_id: Set(self.tenant().id),
            at: Set(Utc::now()),
            action: Set(entry.action.to_owned()),
            actor_user: Set(impersonator.or(person)),
            actor_account: Set(self.id()),
            actor_name: Set(self.actor().name().to_owned()),
            subject_user: Set(impersonator.and(person)),
            target: Set(entry.target),
            detail: Set(entry.detail),
            address: Set(self.address().map(|address| address.to_string())),
        };
        audit::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// The tenant's audit log, the newest first: up to `limit` entries older than `before`.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `audit.read`, and what the database reports.
    pub async fn audit_list(
        &self,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<audit::Model>, Error> {
        self.require("audit.read")?;
        let mut entries = audit::Entity::find()
            .order_by_desc(audit::Column::Id)
            .limit(limit);
        if let Some(before) = before {
            entries = entries.filter(audit::Column::Id.lt(before));
        }
        Ok(entries.all(&self.reading()).await?)
    }

    /// Whatever a member of the staff does in a tenant is written down, reading included.
    pub(crate) async fn note_staff_access(&self, what: &str) -> Result<(), Error> {
        let is_staff = matches!(self.actor(), Actor::Staff { .. });
        let impersonates = self.user().is_some_and(|user| user.impersonator.is_some());
        if is_staff || impersonates {
            let tx = self.manage([]).await?;
            self.audit(&tx, AuditEntry::new("staff.access").on(what))
                .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
