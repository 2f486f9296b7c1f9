//! A member of the staff acts as somebody of the tenant that they are inside of.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::json;
use uuid::Uuid;

use super::{
    Actor, AuditEntry, EmailAddress, Error, Event, Identity, RequestAccount, RequestUser,
    SessionToken, TenantSelector, USER,
    audit::Who,
    model::{account, session, staff_entry, user},
    outbox::{Mail, mail_queue},
    secret::Secret,
    staff::{check_staff, reason_of},
};
use crate::{
    db::Sql as _,
    scope::{Scope, TENANT},
};

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

impl Identity {
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
    async fn subject(&self, inside: &RequestAccount, account: Uuid) -> Result<user::Model, Error> {
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
