use std::net::IpAddr;

use chrono::Utc;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Actor, Error, RequestAccount, RequestUser, model::audit};
use crate::db::InTransaction;

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
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an id or a name, whatever is at hand: `.on(id)` reads better than `.on(&id)`"
    )]
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

    /// One more particular, where the particulars are an object.
    #[cfg(feature = "jobs")]
    pub(crate) fn and(mut self, name: &str, value: Json) -> Self {
        if let Json::Object(detail) = &mut self.detail {
            detail.entry(name).or_insert(value);
        }
        self
    }
}

/// Which entries of the audit log are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// Older ones than this.
    pub before: Option<Uuid>,
    /// What was done: `member.removed`.
    pub action: Option<String>,
    /// By this person, or by somebody who acted as them.
    pub user: Option<Uuid>,
    /// How many, at most.
    pub limit: u64,
}

impl Default for AuditQuery {
    /// The newest 100.
    fn default() -> Self {
        Self {
            before: None,
            action: None,
            user: None,
            limit: 100,
        }
    }
}

/// Who did something in a tenant, for its audit log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who<'a> {
    pub(crate) tenant: Uuid,
    pub(crate) user: Option<Uuid>,
    pub(crate) account: Option<Uuid>,
    pub(crate) name: &'a str,
    /// As whom.
    pub(crate) subject: Option<Uuid>,
    pub(crate) address: Option<IpAddr>,
}

impl Who<'_> {
    /// Writes an entry. The transaction is in the tenant's scope.
    pub(crate) async fn audit(
        self,
        tx: &impl InTransaction,
        entry: AuditEntry<'_>,
    ) -> Result<(), Error> {
        let row = audit::ActiveModel {
            id: Set(Uuid::now_v7()),
            tenant_id: Set(self.tenant),
            at: Set(Utc::now()),
            action: Set(entry.action.to_owned()),
            actor_user: Set(self.user),
            actor_account: Set(self.account),
            actor_name: Set(self.name.to_owned()),
            subject_user: Set(self.subject),
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

impl RequestUser {
    /// Writes an entry into the audit log of a tenant that the person has no account in, as a member
    /// of the staff. The transaction's scope holds the tenant.
    pub(super) async fn audit_in(
        &self,
        tx: &impl InTransaction,
        tenant: Uuid,
        entry: AuditEntry<'_>,
    ) -> Result<(), Error> {
        self.as_staff(tenant).audit(tx, entry).await
    }

    /// Who does something, where that is a member of the staff in a tenant that is not theirs.
    pub(super) fn as_staff(&self, tenant: Uuid) -> Who<'_> {
        Who {
            tenant,
            user: Some(self.id),
            account: None,
            name: &self.name,
            subject: None,
            address: self.address,
        }
    }
}

impl RequestAccount {
    /// Writes an entry into the tenant's audit log, in the transaction that it tells of: who did it
    /// (and as whom), what, when and from where. The application adds its own the same way; as the
    /// last statement, the entry is written with the COMMIT: `account.audit(&tx.committing(), entry)`.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn audit(&self, tx: &impl InTransaction, entry: AuditEntry<'_>) -> Result<(), Error> {
        self.who().audit(tx, entry).await
    }

    /// Who asks: the person, and as whom.
    pub(crate) fn who(&self) -> Who<'_> {
        let user = self.user();
        let person = match self.actor() {
            Actor::Key { user, .. } => *user,
            Actor::Member { .. } | Actor::Staff { .. } => user.map(|user| user.id),
        };
        let impersonator = user.and_then(|user| user.impersonator);
        Who {
            tenant: self.tenant().id,
            user: impersonator.or(person),
            account: self.id(),
            name: self.actor().name(),
            subject: impersonator.and(person),
            address: self.address(),
        }
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
        let query = AuditQuery {
            before,
            limit,
            ..AuditQuery::default()
        };
        self.audit_find(&query).await
    }

    /// What the tenant's audit log holds of what is asked for, the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `audit.read`, and what the database reports.
    pub async fn audit_find(&self, query: &AuditQuery) -> Result<Vec<audit::Model>, Error> {
        self.require("audit.read")?;
        let mut entries = audit::Entity::find()
            .order_by_desc(audit::Column::Id)
            .limit(query.limit);
        if let Some(before) = query.before {
            entries = entries.filter(audit::Column::Id.lt(before));
        }
        if let Some(action) = &query.action {
            entries = entries.filter(audit::Column::Action.eq(action));
        }
        if let Some(user) = query.user {
            let is_theirs = Condition::any()
                .add(audit::Column::ActorUser.eq(user))
                .add(audit::Column::SubjectUser.eq(user));
            entries = entries.filter(is_theirs);
        }
        Ok(entries.all(&self.reading()).await?)
    }

    /// Writes down that a member of the staff, as themselves or as somebody else, reaches into the
    /// tenant: reading included. Does nothing for others. The extractors of `web` call it for each
    /// request; whoever authenticates without them does so too.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn note_staff_access(&self, what: &str) -> Result<(), Error> {
        let is_staff = matches!(self.actor(), Actor::Staff { .. });
        let impersonates = self.user().is_some_and(|user| user.impersonator.is_some());
        if is_staff || impersonates {
            let tx = self.manage([]).await?;
            self.audit(&tx.committing(), AuditEntry::new("staff.access").on(what))
                .await?;
        }
        Ok(())
    }
}
