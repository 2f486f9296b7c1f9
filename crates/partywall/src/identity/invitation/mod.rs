//! Somebody is asked to join a tenant: by whom and as what, and how often they are written to.

mod accept;
mod open;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, FromQueryResult,
    IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
};
use uuid::Uuid;

pub use accept::Accepted;
pub use open::InvitationView;

use super::{
    AuditEntry, EmailAddress, Error, Event, RequestAccount,
    model::{invitation, role},
    outbox::{Mail, mail_queue},
    secret::Secret,
};
use crate::db::{Sql as _, Tx};

/// An invitation that is open, or expired and not taken back.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
#[non_exhaustive]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// The address as it was typed.
    pub email: String,
    /// The role that goes with it; none once the role is gone.
    pub role_id: Option<Uuid>,
    /// The role's name.
    pub role: Option<String>,
    /// The account that asked.
    pub invited_by: Option<Uuid>,
    /// That account's name.
    pub inviter: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When the link was mailed last.
    pub sent_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// The least time between two mails about one invitation, but for the first repetition.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// How many mails an address gets from a tenant that it does not answer, until there was none for a
/// day.
const MAILS: i64 = 5;

impl RequestAccount {
    /// Invites somebody, whether they are known or not: the answer is the same, and so is the mail.
    /// `role` is a role's name or id. An address has one open invitation in a tenant: inviting it
    /// again puts the new role and the new inviter in place of the old ones and mails a new link.
    ///
    /// An invitation is an account's: the tenant's own keys cannot invite. Nor can whoever acts as
    /// somebody else, since an invitation outlives that.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `invitation.write`, [`Error::GrantsMore`] for a role that holds
    /// more than the inviter, [`Error::Invalid`] for an unknown role, [`Error::Throttled`] as for
    /// [`invitation_resend`](Self::invitation_resend), [`Error::Impersonating`], and what the database
    /// reports.
    pub async fn invite(&self, email: &EmailAddress, role: &str) -> Result<Uuid, Error> {
        let inviter = self.inviter()?;
        let tx = self.manage([email.rows()]).await?;
        let role = self.role_to_give(&tx, role).await?;
        let secret = Secret::generate()?;
        let known = open_for(&tx, email.key()).await?;
        let id = match known {
            Some(known) => known.id,
            None => {
                self.invitation_add(&tx, email, &role, inviter, &secret)
                    .await?
            }
        };
        // Where two invite one address at once, one of them finds the other's invitation here.
        let current = open_for(&tx, email.key()).await?.ok_or(Error::NotFound)?;
        if current.id != id || current.token_hash != secret.hash() {
            check_throttle(&tx, &current).await?;
            let mut row = self.renewed(&current, &secret);
            row.email = Set(email.as_typed().to_owned());
            row.role_id = Set(Some(role.id));
            row.invited_by = Set(Some(inviter));
            row.update(&tx).await?;
        }
        let detail = serde_json::json!({ "email": email.key(), "role": role.name });
        let entry = AuditEntry::new("invitation.sent")
            .on(current.id)
            .with(detail);
        self.audit(&tx, entry).await?;
        self.invitation_mail(&tx, email, Some(&role.name), &secret)
            .await?;
        tx.commit().await?;
        self.identity().emit(Event::Invited {
            tenant: self.tenant().id,
            invitation: current.id,
        });
        Ok(current.id)
    }

    /// The invitations that were not accepted and not taken back, the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `invitation.read`, and what the database reports.
    pub async fn invitation_list(&self) -> Result<Vec<Invitation>, Error> {
        self.require("invitation.read")?;
        let view = self.reading();
        let list = view.all(
            "SELECT i.id, i.email, i.role_id, r.name AS role, i.invited_by, a.name AS inviter, \
                    i.created_at, i.sent_at, i.expires_at \
             FROM identity.invitation i \
             LEFT JOIN identity.role r ON r.id = i.role_id \
             LEFT JOIN identity.account a ON a.id = i.invited_by \
             WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL \
             ORDER BY i.id DESC",
            [],
        );
        Ok(list.await?)
    }

    /// Mails a new link. The one that was mailed before is good no longer.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `invitation.write`, [`Error::NotFound`] for an invitation that is
    /// not open, [`Error::Throttled`] within a minute of the last repetition and after five mails that
    /// the address did not answer, [`Error::Impersonating`], and what the database reports.
    pub async fn invitation_resend(&self, id: Uuid) -> Result<(), Error> {
        self.inviter()?;
        let known = invitation::Entity::find_by_id(id)
            .one(&self.reading())
            .await?
            .ok_or(Error::NotFound)?;
        let email = EmailAddress::parse(&known.email)?;
        let tx = self.manage([email.rows()]).await?;
        let current = open_for(&tx, email.key()).await?;
        let current = current
            .filter(|open| open.id == id)
            .ok_or(Error::NotFound)?;
        check_throttle(&tx, &current).await?;
        let secret = Secret::generate()?;
        self.renewed(&current, &secret).update(&tx).await?;
        let role: Option<String> = match current.role_id {
            Some(id) => role::Entity::find_by_id(id).one(&tx).await?.map(|r| r.name),
            None => None,
        };
        let detail = serde_json::json!({ "email": email.key(), "role": role });
        let entry = AuditEntry::new("invitation.sent").on(id).with(detail);
        self.audit(&tx, entry).await?;
        self.invitation_mail(&tx, &email, role.as_deref(), &secret)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes an invitation back. Its link is good no longer.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `invitation.write`, [`Error::NotFound`] for an invitation that is
    /// not open, and what the database reports.
    pub async fn invitation_revoke(&self, id: Uuid) -> Result<(), Error> {
        self.require("invitation.write")?;
        let tx = self.manage([]).await?;
        let revoked = tx
            .execute_sql(
                "UPDATE identity.invitation SET revoked_at = now() \
                 WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL",
                [id.into()],
            )
            .await?;
        if revoked == 0 {
            return Err(Error::NotFound);
        }
        let entry = AuditEntry::new("invitation.revoked").on(id);
        self.audit(&tx.committing(), entry).await
    }

    /// The account that may invite.
    fn inviter(&self) -> Result<Uuid, Error> {
        self.require("invitation.write")?;
        if let Some(user) = self.user() {
            user.require_self()?;
        }
        let forbidden = || Error::Forbidden("invitation.write".to_owned());
        self.id().ok_or_else(forbidden)
    }

    /// A role of this tenant that holds no more than the account does.
    async fn role_to_give(&self, tx: &Tx, role: &str) -> Result<role::Model, Error> {
        let by = match Uuid::try_parse(role) {
            Ok(id) => role::Column::Id.eq(id),
            Err(_) => role::Column::Name.eq(role.replace('\0', "")),
        };
        let found = role::Entity::find().filter(by).one(tx).await?;
        let role = found.ok_or_else(|| Error::invalid("role", "there is no such role"))?;
        let gives = self.identity().rights_of_roles(tx, &[role.id]).await?;
        match self.permissions().lacks(&gives) {
            None => Ok(role),
            Some(missing) => Err(Error::GrantsMore(missing.to_owned())),
        }
    }

    /// Adds an invitation, unless another request has just done so.
    async fn invitation_add(
        &self,
        tx: &Tx,
        email: &EmailAddress,
        role: &role::Model,
        inviter: Uuid,
        secret: &Secret,
    ) -> Result<Uuid, Error> {
        check_day(tx, email.key()).await?;
        let (id, now) = (Uuid::now_v7(), Utc::now());
        tx.execute_sql(
            "INSERT INTO identity.invitation (id, tenant_id, email, email_key, role_id, invited_by, \
               token_hash, created_at, sent_at, sends, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1, $9) \
             ON CONFLICT (tenant_id, email_key) WHERE accepted_at IS NULL AND revoked_at IS NULL \
             DO NOTHING",
            [
                id.into(),
                self.tenant().id.into(),
                email.as_typed().into(),
                email.key().into(),
                role.id.into(),
                inviter.into(),
                secret.hash().into(),
                now.into(),
                (now + self.identity().settings().invitation).into(),
            ],
        )
        .await?;
        Ok(id)
    }

    fn renewed(&self, known: &invitation::Model, secret: &Secret) -> invitation::ActiveModel {
        let now = Utc::now();
        let is_recent = known.sent_at > now - TimeDelta::days(1);
        let mut row = known.clone().into_active_model();
        row.token_hash = Set(secret.hash());
        row.sent_at = Set(now);
        row.sends = Set(if is_recent { known.sends + 1 } else { 1 });
        row.expires_at = Set(now + self.identity().settings().invitation);
        row
    }

    async fn invitation_mail(
        &self,
        tx: &Tx,
        email: &EmailAddress,
        role: Option<&str>,
        secret: &Secret,
    ) -> Result<(), Error> {
        let identity = self.identity();
        let days = identity.settings().invitation.as_secs() / (24 * 60 * 60);
        let (tenant, who) = (&self.tenant().name, self.actor().name());
        let role = role.map_or_else(String::new, |role| format!(" as {role}"));
        let body = format!(
            "{who} invites you to join {tenant}{role}.\n\n\
             To accept, open this link within {days} days and sign in, or sign up, with this address:\n\n\
             {}\n\n\
             If you do not know what this is about, you need not do anything.\n",
            identity.link("invitation", secret),
        );
        let mail = Mail {
            to: email,
            subject: format!("Join {tenant}"),
            body,
        };
        mail_queue(tx, mail).await
    }
}

/// The open invitation of an address, held until the transaction ends.
async fn open_for(tx: &Tx, email_key: &str) -> Result<Option<invitation::Model>, Error> {
    let open = invitation::Entity::find()
        .filter(invitation::Column::EmailKey.eq(email_key))
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null())
        .lock_exclusive();
    Ok(open.one(tx).await?)
}

/// Refuses to write to an address too often.
async fn check_throttle(tx: &Tx, known: &invitation::Model) -> Result<(), Error> {
    let next = known.sent_at + PAUSE;
    if let (true, Ok(wait)) = (known.sends > 1, (next - Utc::now()).to_std()) {
        return Err(Error::Throttled(wait));
    }
    check_day(tx, &known.email_key).await
}

#[derive(FromQueryResult)]
struct Mails {
    sent: i64,
    last: Option<DateTime<Utc>>,
}

/// Whoever accepts has answered; taking an invitation back does not make room for more mail.
async fn check_day(tx: &Tx, email_key: &str) -> Result<(), Error> {
    let mails: Mails = tx
        .one(
            "SELECT coalesce(sum(sends), 0)::bigint AS sent, max(sent_at) AS last \
             FROM identity.invitation \
             WHERE email_key = $1 AND accepted_at IS NULL AND sent_at > now() - interval '1 day'",
            [email_key.into()],
        )
        .await?;
    let next = mails.last.unwrap_or_default() + TimeDelta::days(1);
    match (next - Utc::now()).to_std() {
        Ok(wait) if mails.sent >= MAILS => Err(Error::Throttled(wait)),
        Ok(_) | Err(_) => Ok(()),
    }
}
