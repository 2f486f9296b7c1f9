//! Support people in a tenant that is not theirs: inside for a reason and for a while.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, EntityTrait as _, FromQueryResult};
use serde_json::json;
use uuid::Uuid;

use super::{
    AuditEntry, Error, Event, Identity, RequestUser, TenantSelector,
    authenticate::{nobody, seconds},
    model::staff_entry,
};
use crate::{
    db::Sql as _,
    scope::{Scope, TENANT},
};

/// A stay of a member of the staff in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StaffEntry {
    /// Its id.
    pub id: Uuid,
    /// The tenant.
    pub tenant: Uuid,
    /// The tenant's slug.
    pub slug: String,
    /// The tenant's name.
    pub tenant_name: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub began_at: DateTime<Utc>,
    /// Until when, at most.
    pub expires_at: DateTime<Utc>,
    /// When it was ended before that.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether this session is inside.
    pub is_open: bool,
}

#[derive(FromQueryResult)]
struct Row {
    entry_id: Uuid,
    tenant_id: Uuid,
    slug: String,
    tenant_name: String,
    reason: String,
    began_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
    is_open: bool,
}

impl From<Row> for StaffEntry {
    fn from(row: Row) -> Self {
        let time = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        Self {
            id: row.entry_id,
            tenant: row.tenant_id,
            slug: row.slug,
            tenant_name: row.tenant_name,
            reason: row.reason,
            began_at: time(row.began_at),
            expires_at: time(row.expires_at),
            ended_at: row.ended_at.map(time),
            is_open: row.is_open,
        }
    }
}

#[derive(FromQueryResult)]
struct Sought {
    tenant_id: Option<Uuid>,
    slug: Option<String>,
    tenant_name: Option<String>,
    is_suspended: Option<bool>,
    delete_after: Option<i64>,
}

impl Identity {
    /// Lets a member of the staff into a tenant, to read there what a viewer reads, until the time
    /// that [`Settings::staff`](super::Settings::staff) allows is over. Only the session that asks is
    /// inside. The tenant's audit log says who came and why, and then each access.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for whoever is not of the staff and for an unknown tenant,
    /// [`Error::Suspended`], [`Error::Invalid`] without a reason, [`Error::Impersonating`], and what
    /// the database reports.
    pub async fn staff_enter(
        &self,
        user: &RequestUser,
        tenant: TenantSelector<'_>,
        reason: &str,
    ) -> Result<StaffEntry, Error> {
        check_staff(user)?;
        let reason = reason_of(reason)?;
        let (id, slug, tenant_name) = self.tenant_sought(user, tenant).await?;
        let now = Utc::now();
        let entry = StaffEntry {
            id: Uuid::now_v7(),
            tenant: id,
            slug,
            tenant_name,
            reason: reason.to_owned(),
            began_at: now,
            expires_at: now + self.settings().staff,
            ended_at: None,
            is_open: true,
        };
        // A member of the staff may enter any tenant, and has said why.
        let tx = self.begin(&Scope::trusted([TENANT.is(id)])).await?;
        // Who comes again begins anew: the time does not add up.
        tx.execute_sql(
            "UPDATE identity.staff_entry SET ended_at = now() \
             WHERE session_id = $1 AND ended_at IS NULL",
            [user.session_id.into()],
        )
        .await?;
        let row = staff_entry::ActiveModel {
            id: Set(entry.id),
            tenant_id: Set(id),
            user_id: Set(user.id),
            session_id: Set(user.session_id),
            reason: Set(reason.to_owned()),
            created_at: Set(entry.began_at),
            expires_at: Set(entry.expires_at),
            ended_at: Set(None),
        };
        staff_entry::Entity::insert(row)
            .exec_without_returning(&tx)
            .await?;
        let detail = json!({ "reason": reason, "until": entry.expires_at.to_rfc3339() });
        let audited = AuditEntry::new("staff.entered").on(entry.id).with(detail);
        user.audit_in(&tx, id, audited).await?;
        tx.commit().await?;
        self.emit(Event::StaffEntered {
            tenant: id,
            user: user.id,
        });
        Ok(entry)
    }

    /// Ends a stay. Whoever acts as somebody in it does so no longer.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for what is no stay of the visitor's or is over, [`Error::Impersonating`],
    /// and what the database reports.
    pub async fn staff_leave(&self, user: &RequestUser, entry: Uuid) -> Result<(), Error> {
        check_staff(user)?;
        let found = self.staff_rows(user, Some(entry)).await?.pop();
        let tenant = found.ok_or(Error::NotFound)?.tenant_id;
        // The stay was found to be the person's own.
        let tx = self.begin(&Scope::trusted([TENANT.is(tenant)])).await?;
        let ended = tx
            .execute_sql(
                "UPDATE identity.staff_entry SET ended_at = now() \
                 WHERE id = $1 AND ended_at IS NULL AND expires_at > now()",
                [entry.into()],
            )
            .await?;
        if ended == 0 {
            return Err(Error::NotFound);
        }
        user.audit_in(&tx, tenant, AuditEntry::new("staff.left").on(entry))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The last hundred stays of a member of the staff, the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for whoever is not of the staff, [`Error::Impersonating`], and what the
    /// database reports.
    pub async fn staff_entries(&self, user: &RequestUser) -> Result<Vec<StaffEntry>, Error> {
        check_staff(user)?;
        let rows = self.staff_rows(user, None).await?;
        Ok(rows.into_iter().map(StaffEntry::from).collect())
    }

    async fn staff_rows(
        &self,
        user: &RequestUser,
        wanted: Option<Uuid>,
    ) -> Result<Vec<Row>, Error> {
        let view = self.inner.db.identity(&nobody()).read_only();
        let rows = view.all(
            "SELECT * FROM partywall.identity_staff_entries($1, $2, $3)",
            [
                user.token.0.hash().into(),
                seconds(self.settings().idle).into(),
                wanted.into(),
            ],
        );
        Ok(rows.await?)
    }

    /// Finds the tenant that a member of the staff wants to enter.
    async fn tenant_sought(
        &self,
        user: &RequestUser,
        tenant: TenantSelector<'_>,
    ) -> Result<(Uuid, String, String), Error> {
        let (id, slug, host) = tenant.parts();
        let view = self.inner.db.identity(&nobody()).read_only();
        let sought: Option<Sought> = view
            .optional(
                "SELECT tenant_id, slug, tenant_name, is_suspended, delete_after \
                 FROM partywall.identity_session($1, $2, $3, $4, $5)",
                [
                    user.token.0.hash().into(),
                    seconds(self.settings().idle).into(),
                    id.into(),
                    slug.into(),
                    host.into(),
                ],
            )
            .await?;
        let sought = sought.ok_or(Error::Anonymous)?;
        match (sought.tenant_id, sought.slug, sought.tenant_name) {
            _ if sought.delete_after.is_some() => Err(Error::NotFound),
            _ if sought.is_suspended == Some(true) => Err(Error::Suspended),
            (Some(id), Some(slug), Some(name)) => Ok((id, slug, name)),
            _ => Err(Error::NotFound),
        }
    }
}

/// Nobody else is told that there is such a thing.
pub(super) fn check_staff(user: &RequestUser) -> Result<(), Error> {
    user.require_self()?;
    if user.is_staff {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

pub(super) fn reason_of(text: &str) -> Result<&str, Error> {
    let reason = text.trim();
    if reason.is_empty() || reason.chars().count() > 500 || reason.contains('\0') {
        let message = "say why, in 1 to 500 characters";
        return Err(Error::invalid("reason", message));
    }
    Ok(reason)
}
