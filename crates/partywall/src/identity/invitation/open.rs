use chrono::{DateTime, Utc};
use sea_orm::{EntityTrait as _, FromQueryResult, QuerySelect as _};
use uuid::Uuid;

use crate::{
    db::{Sql as _, Tx},
    identity::{Error, Identity, authenticate::nobody, model::invitation, secret::Secret},
    scope::{Scope, TENANT},
};

/// What a link says to whoever holds it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
#[non_exhaustive]
pub struct InvitationView {
    /// The tenant.
    pub tenant_id: Uuid,
    /// The tenant's slug.
    pub slug: String,
    /// The tenant's name.
    pub tenant: String,
    /// Who asks.
    pub inviter: Option<String>,
    /// The role that goes with it.
    pub role: Option<String>,
    /// The address that it is for.
    pub email: String,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// Where a link leads, be it good or not.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) tenant: Uuid,
    pub(super) id: Uuid,
    pub(super) email_key: String,
    hash: String,
}

#[derive(FromQueryResult)]
struct Found {
    tenant_id: Option<Uuid>,
    id: Option<Uuid>,
    email_key: Option<String>,
}

/// The tenant, whose row is held: seats are counted by one transaction at a time.
#[derive(Debug, FromQueryResult)]
pub(super) struct Tenant {
    pub(super) slug: String,
    pub(super) seats: Option<i32>,
    is_open: bool,
}

impl Identity {
    /// Looks at a link. That consumes nothing: programs that look at mail may follow it.
    ///
    /// # Errors
    ///
    /// [`Error::BadLink`] for one that is unknown, expired, accepted, taken back or replaced, and for
    /// one of a tenant that is suspended or deleted: always the same.
    pub async fn invitation_show(&self, token: &str) -> Result<InvitationView, Error> {
        let link = self.invitation_find(token).await?;
        // The token was found to be this tenant's.
        let scope = Scope::trusted([TENANT.is(link.tenant)]);
        let view: Option<InvitationView> = self
            .inner
            .db
            .identity(&scope)
            .read_only()
            .optional(
                "SELECT t.id AS tenant_id, t.slug, t.name AS tenant, a.name AS inviter, \
                        r.name AS role, i.email, i.expires_at \
                 FROM identity.invitation i \
                 JOIN identity.tenant t ON t.id = i.tenant_id \
                 LEFT JOIN identity.role r ON r.id = i.role_id \
                 LEFT JOIN identity.account a ON a.id = i.invited_by \
                 WHERE i.id = $1 AND i.token_hash = $2 AND i.expires_at > now() \
                   AND i.accepted_at IS NULL AND i.revoked_at IS NULL \
                   AND t.suspended_at IS NULL AND t.delete_after IS NULL",
                [link.id.into(), link.hash.into()],
            )
            .await?;
        view.ok_or(Error::BadLink)
    }

    pub(super) async fn invitation_find(&self, token: &str) -> Result<Link, Error> {
        let hash = Secret::parse(token).ok_or(Error::BadLink)?.hash();
        let found: Found = self
            .inner
            .db
            .identity(&nobody())
            .read_only()
            .one(
                "SELECT * FROM partywall.identity_invitation($1)",
                [hash.clone().into()],
            )
            .await?;
        match (found.tenant_id, found.id, found.email_key) {
            (Some(tenant), Some(id), Some(email_key)) => Ok(Link {
                tenant,
                id,
                email_key,
                hash,
            }),
            _ => Err(Error::BadLink),
        }
    }
}

impl Link {
    /// Holds the tenant and then the invitation, if the link is good.
    pub(super) async fn take(&self, tx: &Tx) -> Result<(Tenant, invitation::Model), Error> {
        let tenant: Option<Tenant> = tx
            .optional(
                "SELECT slug, seats, suspended_at IS NULL AND delete_after IS NULL AS is_open \
                 FROM identity.tenant WHERE id = $1 FOR NO KEY UPDATE",
                [self.tenant.into()],
            )
            .await?;
        let tenant = tenant.filter(|tenant| tenant.is_open);
        let invitation = invitation::Entity::find_by_id(self.id)
            .lock_exclusive()
            .one(tx)
            .await?
            .filter(|found| {
                found.token_hash == self.hash
                    && found.accepted_at.is_none()
                    && found.revoked_at.is_none()
                    && found.expires_at > Utc::now()
            });
        tenant.zip(invitation).ok_or(Error::BadLink)
    }
}
