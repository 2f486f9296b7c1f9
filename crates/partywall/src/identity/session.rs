use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _,
};
use uuid::Uuid;

use super::{
    Error, Identity, RequestUser, SessionToken,
    authenticate::{nobody, seconds},
    model::session,
};
use crate::db::Sql as _;

/// A session of the person who asks, as they see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its id, which opens nothing.
    pub id: Uuid,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to within a part of the idle limit.
    pub seen_at: DateTime<Utc>,
    /// When it ends in spite of use.
    pub expires_at: DateTime<Utc>,
    /// Where it was opened from.
    pub address: Option<String>,
    /// With what.
    pub agent: Option<String>,
    /// Whether it is the one that asks.
    pub is_current: bool,
    /// Whether a member of the staff acts as the person in it.
    pub is_impersonation: bool,
}

#[derive(FromQueryResult)]
struct Live {
    session_id: Uuid,
    user_id: Uuid,
}

impl RequestUser {
    /// Refuses whoever acts as somebody else.
    ///
    /// # Errors
    ///
    /// [`Error::Impersonating`].
    pub(super) fn require_self(&self) -> Result<(), Error> {
        match self.impersonator {
            None => Ok(()),
            Some(_) => Err(Error::Impersonating),
        }
    }
}

impl Identity {
    /// The live sessions of whoever asks, the latest first. Whoever acts as somebody else sees that
    /// session alone.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn sessions(&self, user: &RequestUser) -> Result<Vec<SessionInfo>, Error> {
        let idle = chrono::TimeDelta::from_std(self.settings().idle).unwrap_or_default();
        let now = Utc::now();
        let mut live = session::Entity::find()
            .filter(session::Column::ExpiresAt.gt(now))
            .filter(session::Column::SeenAt.gt(now - idle))
            .order_by_desc(session::Column::Id);
        if user.impersonator.is_some() {
            live = live.filter(session::Column::Id.eq(user.session_id));
        }
        let live = live.all(&self.of_user(user.id).read_only()).await?;
        let info = |row: session::Model| SessionInfo {
            is_current: row.id == user.session_id,
            id: row.id,
            created_at: row.created_at,
            seen_at: row.seen_at,
            expires_at: row.expires_at,
            address: row.address,
            agent: row.agent,
            is_impersonation: row.impersonator.is_some(),
        };
        Ok(live.into_iter().map(info).collect())
    }

    /// Ends one session of whoever asks: this one or another.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for what is no session of theirs, [`Error::Impersonating`] for another
    /// session than the one that acts as somebody else, and what the database reports.
    pub async fn session_revoke(&self, user: &RequestUser, session: Uuid) -> Result<(), Error> {
        if session != user.session_id {
            user.require_self()?;
        }
        if self.session_delete(user.id, session).await? {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    /// Ends all sessions of whoever asks but this one, and tells how many.
    ///
    /// # Errors
    ///
    /// [`Error::Impersonating`], and what the database reports.
    pub async fn sessions_revoke_others(&self, user: &RequestUser) -> Result<u64, Error> {
        user.require_self()?;
        let ended = self
            .of_user(user.id)
            .execute_sql(
                "DELETE FROM identity.session WHERE id <> $1",
                [user.session_id.into()],
            )
            .await?;
        Ok(ended)
    }

    /// Signs out: ends the session that asks. That it has ended already is no error.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub async fn sign_out(&self, user: &RequestUser) -> Result<(), Error> {
        self.session_delete(user.id, user.session_id).await?;
        Ok(())
    }

    /// Ends a session by its token, whoever's it is.
    pub(super) async fn session_end(&self, token: &SessionToken) -> Result<(), Error> {
        let live: Option<Live> = self
            .inner
            .db
            .identity(&nobody())
            .read_only()
            .optional(
                "SELECT session_id, user_id \
                 FROM partywall.identity_session($1, $2, NULL::uuid, NULL::text, NULL::text)",
                [token.0.hash().into(), seconds(self.settings().idle).into()],
            )
            .await?;
        if let Some(live) = live {
            self.session_delete(live.user_id, live.session_id).await?;
        }
        Ok(())
    }

    /// The row is gone, and nothing that a late request does brings it back: see `session_touch`.
    async fn session_delete(&self, user: Uuid, session: Uuid) -> Result<bool, Error> {
        let ended = self
            .of_user(user)
            .execute_sql(
                "DELETE FROM identity.session WHERE id = $1",
                [session.into()],
            )
            .await?;
        Ok(ended == 1)
    }

    /// Removes what has expired: sessions, sign-ups that were not confirmed, and links for a new
    /// password. None of it opened anything any more. For a task in the background, every few
    /// minutes; tells how many rows it removed.
    ///
    /// # Errors
    ///
    /// What the database reports, and [`NoLogin`](crate::db::NoLogin) without a login for the way
    /// across.
    pub async fn sessions_expire(&self) -> Result<u64, Error> {
        let across = self.inner.db.across("expired sessions are removed").await?;
        let sessions = across
            .execute_sql(
                "DELETE FROM identity.session WHERE expires_at <= now() \
                   OR seen_at <= now() - make_interval(secs => $1)",
                [f64::from(seconds(self.settings().idle)).into()],
            )
            .await?;
        let sign_ups = across
            .execute_sql("DELETE FROM identity.sign_up WHERE expires_at <= now()", [])
            .await?;
        across
            .execute_sql(
                "UPDATE identity.credential SET reset_hash = NULL, reset_expires_at = NULL \
                 WHERE reset_expires_at <= now()",
                [],
            )
            .await?;
        Ok(sessions + sign_ups)
    }
}
