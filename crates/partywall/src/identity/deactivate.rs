use chrono::Utc;
use sea_orm::{ActiveValue::Set, EntityTrait as _, FromQueryResult, TransactionTrait as _};
use serde_json::json;
use uuid::Uuid;

use super::{EmailAddress, Error, ErrorKind, Event, Identity, RequestUser, model::audit};
use crate::db::{Sql as _, Tx};

/// How often it is tried when somebody else's work gets in the way.
const TRIES: u32 = 5;

#[derive(FromQueryResult)]
struct Closed {
    id: Uuid,
    tenant_id: Uuid,
}

/// Who does it, and why.
struct By<'a> {
    user: &'a RequestUser,
    reason: Option<&'a str>,
}

impl Identity {
    /// Deactivates whoever asks. Nobody signs in as them any more, all their sessions end at once,
    /// and so do their accounts: what they wrote stays, and a write of theirs that is under way is
    /// finished first.
    ///
    /// # Errors
    ///
    /// [`Error::LastOwner`] when a tenant would be left without an owner, [`Error::WrongCredentials`],
    /// [`Error::Throttled`], [`Error::Impersonating`], and what the database reports, as well as
    /// [`NoLogin`](crate::db::NoLogin) without a login for the way across.
    pub async fn user_deactivate(&self, user: &RequestUser, password: &str) -> Result<(), Error> {
        user.require_self()?;
        let email = EmailAddress::parse(&user.email)?;
        let proven = self.prove(Some(&email), password, user.address).await?;
        if proven.user != user.id {
            return Err(Error::WrongCredentials);
        }
        let by = By { user, reason: None };
        self.deactivate(user.id, &by).await
    }

    /// Deactivates somebody, for a reason that is written down in their tenants. For the staff.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for everybody else than the staff, and where there is nobody, or nobody
    /// active; [`Error::Impersonating`]; [`Error::Invalid`] without a reason; otherwise as for
    /// [`user_deactivate`](Self::user_deactivate).
    pub async fn user_deactivate_by_staff(
        &self,
        staff: &RequestUser,
        user: Uuid,
        reason: &str,
    ) -> Result<(), Error> {
        staff.require_self()?;
        if !staff.is_staff {
            return Err(Error::NotFound);
        }
        let reason = Some(reason.trim()).filter(|reason| !reason.is_empty());
        let reason = reason.ok_or_else(|| Error::invalid("reason", "say why"))?;
        let by = By {
            user: staff,
            reason: Some(reason),
        };
        self.deactivate(user, &by).await
    }

    async fn deactivate(&self, user: Uuid, by: &By<'_>) -> Result<(), Error> {
        let across = self.inner.db.across("a person is deactivated").await?;
        let mut tries = 0;
        let closed = loop {
            tries += 1;
            let tx = across.begin().await?;
            match deactivate_in(tx, user, by).await {
                Ok(Some(closed)) => break closed,
                Err(error) if error.kind() != ErrorKind::Unavailable => return Err(error),
                Err(error) if tries == TRIES => return Err(error),
                Ok(None) if tries == TRIES => return Err(Error::LastOwner),
                Ok(None) | Err(_) => {}
            }
        };
        self.emit(Event::UserDeactivated { user });
        for Closed { id, tenant_id } in closed {
            self.emit(Event::MemberDeactivated {
                tenant: tenant_id,
                account: id,
            });
        }
        Ok(())
    }
}

/// `None` when the person got an account in another tenant meanwhile.
///
/// The order of locks: tenants, accounts, the credential, the person, sessions.
async fn deactivate_in(tx: Tx, user: Uuid, by: &By<'_>) -> Result<Option<Vec<Closed>>, Error> {
    tx.execute_sql(
        "SELECT 1 FROM identity.tenant t WHERE EXISTS ( \
           SELECT 1 FROM identity.account a WHERE a.tenant_id = t.id AND a.user_id = $1) \
         ORDER BY t.id FOR NO KEY UPDATE",
        [user.into()],
    )
    .await?;
    let last_in = tx
        .rows(
            "SELECT 1 FROM identity.account a \
             JOIN identity.tenant t ON t.id = a.tenant_id AND t.delete_after IS NULL \
             JOIN identity.account_role ar ON ar.tenant_id = a.tenant_id AND ar.account_id = a.id \
             JOIN identity.role r ON r.tenant_id = ar.tenant_id AND r.id = ar.role_id \
             WHERE a.user_id = $1 AND a.deactivated_at IS NULL AND r.builtin = 'owner' \
               AND NOT EXISTS ( \
                 SELECT 1 FROM identity.account other \
                 JOIN identity.account_role o ON o.tenant_id = other.tenant_id \
                   AND o.account_id = other.id AND o.role_id = r.id \
                 JOIN identity.\"user\" live ON live.id = other.user_id \
                   AND live.deactivated_at IS NULL \
                 WHERE other.tenant_id = a.tenant_id AND other.id <> a.id \
                   AND other.deactivated_at IS NULL) \
             LIMIT 1",
            [user.into()],
        )
        .await?;
    if !last_in.is_empty() {
        return Err(Error::LastOwner);
    }
    let closed: Vec<Closed> = tx
        .all(
            "UPDATE identity.account SET deactivated_at = now() \
             WHERE user_id = $1 AND deactivated_at IS NULL RETURNING id, tenant_id",
            [user.into()],
        )
        .await?;
    tx.execute_sql(
        "UPDATE identity.credential SET reset_hash = NULL, reset_expires_at = NULL \
         WHERE user_id = $1",
        [user.into()],
    )
    .await?;
    // FOR UPDATE keeps new accounts of the person out; the ones that came before are seen below.
    let is_active = tx
        .rows(
            "SELECT 1 FROM identity.\"user\" WHERE id = $1 AND deactivated_at IS NULL FOR UPDATE",
            [user.into()],
        )
        .await?;
    if is_active.is_empty() {
        return Err(Error::NotFound);
    }
    let others = tx
        .rows(
            "SELECT 1 FROM identity.account WHERE user_id = $1 AND deactivated_at IS NULL LIMIT 1",
            [user.into()],
        )
        .await?;
    if !others.is_empty() {
        return Ok(None);
    }
    tx.execute_sql(
        "UPDATE identity.\"user\" SET deactivated_at = now() WHERE id = $1",
        [user.into()],
    )
    .await?;
    // Those in which they act as somebody else as well.
    tx.execute_sql(
        "DELETE FROM identity.session WHERE user_id = $1 OR impersonator = $1",
        [user.into()],
    )
    .await?;
    tx.execute_sql(
        "UPDATE identity.staff_entry SET ended_at = now() WHERE user_id = $1 AND ended_at IS NULL",
        [user.into()],
    )
    .await?;
    if !closed.is_empty() {
        let rows = closed.iter().map(|account| entry(account, user, by));
        audit::Entity::insert_many(rows)
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(Some(closed))
}

fn entry(account: &Closed, user: Uuid, by: &By<'_>) -> audit::ActiveModel {
    audit::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(account.tenant_id),
        at: Set(Utc::now()),
        action: Set("member.deactivated".to_owned()),
        actor_user: Set(Some(by.user.id)),
        actor_account: Set((by.user.id == user).then_some(account.id)),
        actor_name: Set(by.user.name.clone()),
        subject_user: Set(None),
        target: Set(Some(account.id.to_string())),
        detail: Set(json!({ "person": "deactivated", "reason": by.reason })),
        address: Set(by.user.address.map(|address| address.to_string())),
    }
}
