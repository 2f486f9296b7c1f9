use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{
    Actor, ApiKey, BuiltIn, Error, Hostname, Identity, RequestAccount, RoleSet, SessionToken,
    TenantInfo, USER, account::Standing,
};
use crate::{
    db::{Sql, Tx},
    scope::{Scope, TENANT},
};

/// The person who asks. Made of a live session by [`Identity::authenticate`].
#[derive(Clone, Debug)]
pub struct RequestUser {
    /// Whose session it is.
    pub id: Uuid,
    /// The address, as it was typed.
    pub email: String,
    /// The name.
    pub name: String,
    /// Whether the person is a member of the support staff.
    pub is_staff: bool,
    /// The member of the staff who acts as this person.
    pub impersonator: Option<Uuid>,
    /// The session.
    pub session_id: Uuid,
    /// The account that is current where an address names no tenant.
    pub current_account: Option<Uuid>,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
    pub(super) token: SessionToken,
    pub(super) identity: Identity,
}

/// Which tenant a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantSelector<'a> {
    /// That of the session's current account, or of the key.
    Current,
    /// The one with this id.
    Id(Uuid),
    /// The one with this slug.
    Slug(&'a str),
    /// The one that has this host verified as its own: what `Host` or `:authority` says, with a port or
    /// without, in any letter case. A host that is unknown, claimed but not verified, or a deleted
    /// tenant's selects nothing. It is for the server, or a proxy that is trusted, to say which host a
    /// request came for.
    Host(&'a str),
}

/// Who asks, and what they are in the tenant that was asked for.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The person; nobody where a key asks.
    pub user: Option<RequestUser>,
    standing: Standing,
}

impl Authenticated {
    /// The account in the tenant that was asked for.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is no such tenant or the person has no account in it, and
    /// [`Error::Suspended`] for members of a suspended one.
    pub fn account(&self) -> Result<RequestAccount, Error> {
        self.standing.account()
    }

    /// The account, also in a tenant that is suspended or deleted: for its owner to bring it back.
    pub(crate) fn account_of_closed(&self) -> Result<RequestAccount, Error> {
        self.standing.account_of_closed()
    }
}

#[derive(FromQueryResult)]
struct SessionRow {
    session_id: Uuid,
    seen_at: i64,
    current_account: Option<Uuid>,
    impersonator: Option<Uuid>,
    user_id: Uuid,
    email: String,
    user_name: String,
    is_staff: bool,
    tenant_id: Option<Uuid>,
    slug: Option<String>,
    tenant_name: Option<String>,
    seats: Option<i32>,
    is_suspended: Option<bool>,
    delete_after: Option<i64>,
    account_id: Option<Uuid>,
    account_name: Option<String>,
    staff_entry: Option<Uuid>,
    builtins: Vec<String>,
    roles: Vec<String>,
    permissions: Vec<String>,
}

#[derive(FromQueryResult)]
struct KeyRow {
    key_id: Uuid,
    key_name: String,
    last_used_at: Option<i64>,
    key_permissions: Vec<String>,
    tenant_id: Option<Uuid>,
    slug: Option<String>,
    tenant_name: Option<String>,
    seats: Option<i32>,
    is_suspended: Option<bool>,
    delete_after: Option<i64>,
    account_id: Option<Uuid>,
    user_id: Option<Uuid>,
    builtins: Vec<String>,
    permissions: Vec<String>,
}

/// What is looked up has no owner yet: the secret that was brought is what opens it.
pub(super) fn nobody() -> Scope {
    Scope::trusted([])
}

impl Identity {
    /// Finds out who holds a session and what they are in a tenant: one statement, one round trip.
    /// Nothing of it is kept for the next request.
    ///
    /// Using a session keeps it alive; that is written down when a twentieth of the idle limit has
    /// passed since it was last.
    ///
    /// # Errors
    ///
    /// [`Error::Anonymous`] without a live session of a person who is not deactivated.
    pub async fn authenticate(
        &self,
        token: &SessionToken,
        tenant: TenantSelector<'_>,
        address: Option<IpAddr>,
    ) -> Result<Authenticated, Error> {
        let (found, seen) = self.session_find(token, tenant, address).await?;
        let rested = (Utc::now() - seen).to_std().unwrap_or_default();
        if let Some(user) = found
            .user
            .as_ref()
            .filter(|_| rested > self.settings().idle / 20)
        {
            self.session_touch(user.id, user.session_id).await?;
        }
        Ok(found)
    }

    /// The same without keeping the session alive. Tells also when it was last used.
    pub(super) async fn session_find(
        &self,
        token: &SessionToken,
        tenant: TenantSelector<'_>,
        address: Option<IpAddr>,
    ) -> Result<(Authenticated, DateTime<Utc>), Error> {
        let (id, slug, host) = tenant.parts();
        let row: Option<SessionRow> = self
            .inner
            .db
            .identity(&nobody())
            .read_only()
            .optional(
                "SELECT * FROM partywall.identity_session($1, $2, $3, $4, $5)",
                [
                    token.0.hash().into(),
                    seconds(self.settings().idle).into(),
                    id.into(),
                    slug.into(),
                    host.into(),
                ],
            )
            .await?;
        let row = row.ok_or(Error::Anonymous)?;
        let seen = DateTime::from_timestamp_micros(row.seen_at).unwrap_or_default();
        let user = RequestUser {
            id: row.user_id,
            email: row.email.clone(),
            name: row.user_name.clone(),
            is_staff: row.is_staff,
            impersonator: row.impersonator,
            session_id: row.session_id,
            current_account: row.current_account,
            address,
            token: token.clone(),
            identity: self.clone(),
        };
        let found = Authenticated {
            standing: self.standing(&user, row),
            user: Some(user),
        };
        Ok((found, seen))
    }

    fn standing(&self, user: &RequestUser, row: SessionRow) -> Standing {
        let (Some(id), Some(slug), Some(name)) = (row.tenant_id, row.slug, row.tenant_name) else {
            return Standing::Nobody;
        };
        let tenant = TenantInfo {
            id,
            slug,
            name,
            seats: row.seats,
        };
        let roles = RoleSet::new(
            row.builtins.iter().filter_map(|name| BuiltIn::named(name)),
            row.roles,
        );
        let (actor, permissions) = match (row.account_id, row.staff_entry) {
            (Some(id), _) => (
                Actor::Member {
                    account: id,
                    name: row.account_name.unwrap_or_default(),
                },
                self.permissions()
                    .effective(&row.builtins, &row.permissions),
            ),
            (None, Some(entry)) => (
                Actor::Staff {
                    entry,
                    name: user.name.clone(),
                },
                self.permissions().of(BuiltIn::Viewer),
            ),
            (None, None) => return Standing::Nobody,
        };
        let account =
            RequestAccount::new(self, tenant, actor, Some(user), permissions, user.address);
        Standing::of(
            account.holding(roles),
            row.is_suspended == Some(true),
            row.delete_after.is_some(),
        )
    }

    /// Finds out what a program's key opens in a tenant: one statement, one round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Anonymous`] for a key that is unknown, expired, taken back, or of an account that
    /// opens nothing.
    pub async fn authenticate_key(
        &self,
        key: &ApiKey,
        tenant: TenantSelector<'_>,
        address: Option<IpAddr>,
    ) -> Result<Authenticated, Error> {
        let (id, slug, host) = tenant.parts();
        let row: Option<KeyRow> = self
            .inner
            .db
            .identity(&nobody())
            .read_only()
            .optional(
                "SELECT * FROM partywall.identity_key($1, $2, $3, $4)",
                [key.0.hash().into(), id.into(), slug.into(), host.into()],
            )
            .await?;
        let row = row.ok_or(Error::Anonymous)?;
        let nobody = Authenticated {
            user: None,
            standing: Standing::Nobody,
        };
        let (Some(id), Some(slug), Some(name)) = (row.tenant_id, row.slug, row.tenant_name) else {
            return Ok(nobody);
        };
        let used = row
            .last_used_at
            .and_then(DateTime::from_timestamp_micros)
            .unwrap_or_default();
        if Utc::now() - used > chrono::TimeDelta::minutes(1) {
            self.key_touch(id, row.key_id).await?;
        }
        let most = self.permissions().effective(&[], &row.key_permissions);
        let permissions = match row.account_id {
            // An account's key does what the account may do today, and no more.
            Some(_) => most.intersection(
                &self
                    .permissions()
                    .effective(&row.builtins, &row.permissions),
            ),
            None => most,
        };
        let tenant = TenantInfo {
            id,
            slug,
            name,
            seats: row.seats,
        };
        let actor = Actor::Key {
            key: row.key_id,
            account: row.account_id,
            user: row.user_id,
            name: row.key_name,
        };
        let account =
            RequestAccount::new(self, tenant, actor, None, permissions, address).opened_by(key);
        Ok(Authenticated {
            user: None,
            standing: Standing::of(
                account,
                row.is_suspended == Some(true),
                row.delete_after.is_some(),
            ),
        })
    }

    /// Keeps a session alive. Never brings one back: an ended session has no row to change.
    async fn session_touch(&self, user: Uuid, session: Uuid) -> Result<(), Error> {
        self.of_user(user)
            .execute_sql(
                "UPDATE identity.session SET seen_at = now() WHERE id = $1",
                [session.into()],
            )
            .await?;
        Ok(())
    }

    async fn key_touch(&self, tenant: Uuid, key: Uuid) -> Result<(), Error> {
        self.inner
            .db
            .identity(&Scope::trusted([TENANT.is(tenant)]))
            .execute_sql(
                "UPDATE identity.api_key SET last_used_at = now() WHERE id = $1",
                [key.into()],
            )
            .await?;
        Ok(())
    }

    /// One person's rows.
    pub(super) fn of_user(&self, user: Uuid) -> crate::ScopedDb {
        self.inner.db.identity(&Scope::trusted([USER.is(user)]))
    }

    /// A transaction of the identity login.
    pub(crate) async fn begin(&self, scope: &Scope) -> Result<Tx, Error> {
        let view = self.inner.db.identity(scope);
        Ok(sea_orm::TransactionTrait::begin(&view).await?)
    }
}

impl<'a> TenantSelector<'a> {
    /// Reads what a path says: a UUID in its one canonical form, or else a slug.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        match Uuid::try_parse(text) {
            Ok(id) if id.to_string() == text => Self::Id(id),
            // PostgreSQL has no NUL in a text, and nobody has an empty slug.
            _ if text.contains('\0') => Self::Slug(""),
            Ok(_) | Err(_) => Self::Slug(text),
        }
    }

    /// Id, slug, host: one of them, or none for the current one.
    pub(super) fn parts(self) -> (Option<Uuid>, Option<String>, Option<String>) {
        match self {
            Self::Current => (None, None, None),
            Self::Id(id) => (Some(id), None, None),
            Self::Slug(slug) => (None, Some(slug.to_owned()), None),
            // Nobody has an empty host.
            Self::Host(host) => {
                let host = Hostname::of_request(host).map(|host| host.to_string());
                (None, None, Some(host.unwrap_or_default()))
            }
        }
    }
}

pub(super) fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}
