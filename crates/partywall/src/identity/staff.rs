//! Support people in a tenant that is not theirs: inside for a reason and for a while, and maybe as
//! one of its people.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Actor, AuditEntry, EmailAddress, Error, Event, Identity, RequestUser, SessionToken,
    TenantSelector, USER,
    audit::Who,
    authenticate::{nobody, seconds},
    model::{account, session, staff_entry, user},
    outbox::{Mail, mail_queue},
    secret::Secret,
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

/// A session in which a member of the staff acts as somebody.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Impersonation {
    /// The new session's token.
    pub token: SessionToken,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// As whom.
    pub user: Uuid,
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

    /// Lets a member of the staff act as somebody of the tenant that they are inside of. Owners may be
    /// acted as; passwords, keys and invitations are out of reach all the while, since they would
    /// outlast it.
    ///
    /// The session is a new one, reaches this tenant only, and lasts no longer than the stay. The
    /// member's own session lets nobody in meanwhile: see [`impersonation_stop`](Self::impersonation_stop).
    /// It ends with that session too, and when its member is no longer of the staff. The person is told
    /// by mail.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] outside of the tenant, for members of the staff who have an account in it
    /// (they act as themselves), and for an account that nobody can sign in to; [`Error::Invalid`]
    /// without a reason; [`Error::Impersonating`], since it does not nest; [`Error::Anonymous`] where
    /// the own session ended meanwhile; and what the database reports.
    pub async fn impersonate(
        &self,
        user: &RequestUser,
        tenant: TenantSelector<'_>,
        account: Uuid,
        reason: &str,
    ) -> Result<Impersonation, Error> {
        check_staff(user)?;
        let reason = reason_of(reason)?;
        let found = self.authenticate(&user.token, tenant, user.address).await?;
        let inside = found.account()?;
        let Actor::Staff { entry, .. } = inside.actor() else {
            return Err(Error::NotFound);
        };
        let entry = staff_entry::Entity::find_by_id(*entry)
            .one(&inside.reading())
            .await?
            .ok_or(Error::NotFound)?;
        let subject = self.subject(&inside, account).await?;
        let tenant = inside.tenant();
        let email = EmailAddress::parse(&subject.email)?;
        let secret = Secret::generate()?;
        // The tenant is the one that the person is inside of; the subject has an account there.
        let scope = Scope::trusted([TENANT.is(tenant.id), USER.is(subject.id), email.rows()]);
        let tx = self.begin(&scope).await?;
        let row = session::ActiveModel {
            id: Set(Uuid::now_v7()),
            user_id: Set(subject.id),
            token_hash: Set(secret.hash()),
            created_at: Set(Utc::now()),
            seen_at: Set(Utc::now()),
            expires_at: Set(entry.expires_at),
            current_account: Set(Some(account)),
            current_tenant: Set(Some(tenant.id)),
            confined_to: Set(Some(tenant.id)),
            impersonator: Set(Some(user.id)),
            parked: Set(Some(user.session_id)),
            reason: Set(Some(reason.to_owned())),
            address: Set(user.address.map(|address| address.to_string())),
            agent: Set(None),
        };
        session::Entity::insert(row)
            .exec_without_returning(&tx)
            .await?;
        let who = Who {
            subject: Some(subject.id),
            ..user.as_staff(tenant.id)
        };
        let until = entry.expires_at.to_rfc3339();
        let detail = json!({ "reason": reason, "until": until, "entry": entry.id });
        let audited = AuditEntry::new("impersonation.started").on(account);
        who.audit(&tx, audited.with(detail)).await?;
        let mail = told(&email, &user.name, &tenant.name, reason, &until);
        mail_queue(&tx, mail).await?;
        tx.commit().await?;
        if !self.session_park(user, entry.expires_at).await? {
            // The own session ended meanwhile. The new one ended with it, and nobody has its token.
            return Err(Error::Anonymous);
        }
        self.emit(Event::StaffEntered {
            tenant: tenant.id,
            user: user.id,
        });
        Ok(Impersonation {
            token: SessionToken(secret),
            expires_at: entry.expires_at,
            user: subject.id,
        })
    }

    /// Ends acting as somebody. The answer is a new token for the member's own session, which goes on
    /// inside the tenant; none where that has ended, and then there is only signing in.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for whoever does not act as somebody, [`Error::Anonymous`] where it ended
    /// meanwhile, and what the database reports.
    pub async fn impersonation_stop(
        &self,
        user: &RequestUser,
    ) -> Result<Option<SessionToken>, Error> {
        let impersonator = user.impersonator.ok_or(Error::NotFound)?;
        let own = session::Entity::find_by_id(user.session_id)
            .one(&self.of_user(user.id))
            .await?
            .ok_or(Error::Anonymous)?;
        let (Some(tenant), Some(parked)) = (own.confined_to, own.parked) else {
            return Err(Error::NotFound);
        };
        // Both are said by the live session that asks.
        let tx = self
            .begin(&Scope::trusted([TENANT.is(tenant), USER.is(user.id)]))
            .await?;
        let ended = session::Entity::delete_by_id(own.id).exec(&tx).await?;
        if ended.rows_affected == 0 {
            return Err(Error::Anonymous);
        }
        let name = self.of_user(impersonator).read_only();
        let name = user::Entity::find_by_id(impersonator).one(&name).await?;
        let who = Who {
            tenant,
            user: Some(impersonator),
            account: own.current_account,
            name: name.as_ref().map_or("", |staff| &staff.name),
            subject: Some(user.id),
            address: user.address,
        };
        let mut audited = AuditEntry::new("impersonation.stopped");
        if let Some(account) = own.current_account {
            audited = audited.on(account);
        }
        who.audit(&tx, audited).await?;
        tx.commit().await?;
        self.session_unpark(impersonator, parked).await
    }

    /// Whom the account belongs to, if they can sign in.
    async fn subject(
        &self,
        inside: &super::RequestAccount,
        account: Uuid,
    ) -> Result<user::Model, Error> {
        let account = account::Entity::find_by_id(account)
            .filter(account::Column::DeactivatedAt.is_null())
            .one(&inside.reading())
            .await?;
        let person = account.and_then(|account| account.user_id);
        let person = person.ok_or(Error::NotFound)?;
        // The account that was found says whose it is.
        let person = user::Entity::find_by_id(person)
            .filter(user::Column::DeactivatedAt.is_null())
            .one(&self.of_user(person))
            .await?;
        person.ok_or(Error::NotFound)
    }

    /// Keeps a session aside: its token is nobody's, and it does not fall idle.
    async fn session_park(&self, user: &RequestUser, until: DateTime<Utc>) -> Result<bool, Error> {
        let parked = self
            .of_user(user.id)
            .execute_sql(
                "UPDATE identity.session SET token_hash = $2, seen_at = $3 \
                 WHERE id = $1 AND token_hash = $4",
                [
                    user.session_id.into(),
                    Secret::generate()?.hash().into(),
                    until.into(),
                    user.token.0.hash().into(),
                ],
            )
            .await?;
        Ok(parked == 1)
    }

    async fn session_unpark(
        &self,
        user: Uuid,
        session: Uuid,
    ) -> Result<Option<SessionToken>, Error> {
        let secret = Secret::generate()?;
        let awake = self
            .of_user(user)
            .execute_sql(
                "UPDATE identity.session SET token_hash = $2, seen_at = now() \
                 WHERE id = $1 AND expires_at > now()",
                [session.into(), secret.hash().into()],
            )
            .await?;
        Ok((awake == 1).then_some(SessionToken(secret)))
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
        let (id, slug) = tenant.parts();
        let view = self.inner.db.identity(&nobody()).read_only();
        let sought: Option<Sought> = view
            .optional(
                "SELECT tenant_id, slug, tenant_name, is_suspended, delete_after \
                 FROM partywall.identity_session($1, $2, $3, $4)",
                [
                    user.token.0.hash().into(),
                    seconds(self.settings().idle).into(),
                    id.into(),
                    slug.into(),
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
fn check_staff(user: &RequestUser) -> Result<(), Error> {
    user.require_self()?;
    if user.is_staff {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

fn reason_of(text: &str) -> Result<&str, Error> {
    let reason = text.trim();
    if reason.is_empty() || reason.chars().count() > 500 || reason.contains('\0') {
        let message = "say why, in 1 to 500 characters";
        return Err(Error::invalid("reason", message));
    }
    Ok(reason)
}

fn told<'a>(to: &'a EmailAddress, who: &str, tenant: &str, reason: &str, until: &str) -> Mail<'a> {
    Mail {
        to,
        subject: format!("Support acts in your name in {tenant}"),
        body: format!(
            "{who} of the support staff acts as you in {tenant}, until {until} at the latest.\n\n\
             The reason: {reason}\n\n\
             What is done is in the tenant's audit log. Your password cannot be changed that way. \
             You can end it in the list of your sessions.\n"
        ),
    }
}
