use std::net::IpAddr;

use uuid::Uuid;

use super::{ApiKey, Error, Identity, PermissionSet, RequestUser, RoleSet};
use crate::{
    db::{ScopedDb, Tx},
    scope::{Scope, Selection, TENANT},
};

/// What somebody may do in one tenant, read for this request. The only thing that vouches for a
/// tenant's scope.
#[derive(Clone, Debug)]
pub struct RequestAccount {
    tenant: TenantInfo,
    actor: Actor,
    user: Option<RequestUser>,
    /// What opened it where no person asks.
    key: Option<ApiKey>,
    roles: RoleSet,
    permissions: PermissionSet,
    scope: Scope,
    address: Option<IpAddr>,
    identity: Identity,
}

/// A tenant, as a request needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantInfo {
    /// Its id.
    pub id: Uuid,
    /// What addresses say for it.
    pub slug: String,
    /// What people say for it.
    pub name: String,
    /// How many accounts may be active at once.
    pub seats: Option<i32>,
}

impl TenantInfo {
    /// Whether `text` names this tenant: by its slug, or by its id in canonical form.
    #[must_use]
    pub fn is_named(&self, text: &str) -> bool {
        text == self.slug || text == self.id.to_string()
    }
}

/// As what a request acts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// A member, through their account.
    Member {
        /// The account.
        account: Uuid,
        /// How the tenant knows the person.
        name: String,
    },
    /// A member of the staff, without an account.
    Staff {
        /// The entry that says why.
        entry: Uuid,
        /// The person's name.
        name: String,
    },
    /// A program, through a key.
    Key {
        /// The key.
        key: Uuid,
        /// Whose key it is; the tenant's own where there is none.
        account: Option<Uuid>,
        /// The person behind that account.
        user: Option<Uuid>,
        /// The name of the key.
        name: String,
    },
}

impl Actor {
    /// The account that acts, or whose key does.
    #[must_use]
    pub fn account(&self) -> Option<Uuid> {
        match self {
            Self::Member { account, .. } => Some(*account),
            Self::Key { account, .. } => *account,
            Self::Staff { .. } => None,
        }
    }

    /// By what name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Member { name, .. } | Self::Staff { name, .. } | Self::Key { name, .. } => name,
        }
    }
}

impl RequestAccount {
    pub(super) fn new(
        identity: &Identity,
        tenant: TenantInfo,
        actor: Actor,
        user: Option<&RequestUser>,
        permissions: PermissionSet,
        address: Option<IpAddr>,
    ) -> Self {
        let scope = Scope::trusted([TENANT.is(tenant.id)]);
        Self {
            tenant,
            actor,
            user: user.cloned(),
            key: None,
            roles: RoleSet::default(),
            permissions,
            scope,
            address,
            identity: identity.clone(),
        }
    }

    pub(super) fn holding(mut self, roles: RoleSet) -> Self {
        self.roles = roles;
        self
    }

    pub(super) fn opened_by(mut self, key: &ApiKey) -> Self {
        self.key = Some(key.clone());
        self
    }

    pub(super) fn key(&self) -> Option<&ApiKey> {
        self.key.as_ref()
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantInfo {
        &self.tenant
    }

    /// As what the request acts.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The account's id; none for the staff and for the tenant's own keys.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.actor.account()
    }

    /// The person who asks; nobody where a key does.
    #[must_use]
    pub fn user(&self) -> Option<&RequestUser> {
        self.user.as_ref()
    }

    /// The roles that the account holds. None for programs, whose key may do less than its account, and
    /// none for the staff.
    #[must_use]
    pub fn roles(&self) -> &RoleSet {
        &self.roles
    }

    /// What the account may do.
    #[must_use]
    pub fn permissions(&self) -> &PermissionSet {
        &self.permissions
    }

    /// Whether the account has a permission: `account.has("note.publish")`.
    #[must_use]
    pub fn has(&self, permission: &str) -> bool {
        self.permissions.has(permission)
    }

    /// Asks for a permission.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`], naming it.
    pub fn require(&self, permission: &str) -> Result<(), Error> {
        if self.has(permission) {
            Ok(())
        } else {
            Err(Error::Forbidden(permission.to_owned()))
        }
    }

    /// Where the request comes from.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The tenant's scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The tenant's rows, for reading. PostgreSQL refuses to write here: see [`write`](Self::write).
    #[must_use]
    pub fn read(&self) -> ScopedDb {
        self.identity.db().scoped(&self.scope).read_only()
    }

    /// A transaction for writing, which holds the account: whoever removes or deactivates it waits
    /// for the transaction to end, and one that begins after that is refused. So no write of a
    /// member's is committed after their removal.
    ///
    /// Nothing is sent yet: the hold rides with the first statement, as BEGIN and the context do.
    /// Where the account is gone meanwhile, that statement answers
    /// [`db::Error::Gone`](crate::db::Error::Gone), here [`Error::NotFound`], and nothing of the
    /// transaction is kept. The last statement can carry the COMMIT: see
    /// [`Tx::committing`](crate::Tx::committing).
    ///
    /// # Errors
    ///
    /// What keeps a connection from being had.
    pub async fn write(&self) -> Result<Tx, Error> {
        let tx = self.identity.db().begin(&self.scope).await?;
        self.hold(&tx)?;
        Ok(tx)
    }

    /// A transaction of the identity login in this tenant, which holds the account as well. `also`
    /// are the scopes of what else it touches.
    pub(crate) async fn manage(
        &self,
        also: impl IntoIterator<Item = Selection>,
    ) -> Result<Tx, Error> {
        let scope = self.scope.narrow(also).map_err(crate::db::Error::from)?;
        let tx = self.identity.begin(&scope).await?;
        self.hold(&tx)?;
        Ok(tx)
    }

    /// What the identity login reads in this tenant.
    pub(crate) fn reading(&self) -> ScopedDb {
        self.identity.inner.db.identity(&self.scope).read_only()
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the database was declared to be.
    #[cfg(feature = "web")]
    pub(crate) fn schema(&self) -> &crate::schema::Schema {
        self.identity.db().schema()
    }

    /// Holds the account from the transaction's next statement on. That statement fails where the
    /// account is gone.
    pub(super) fn hold(&self, tx: &Tx) -> Result<(), Error> {
        match self.actor.account() {
            Some(account) => Ok(account_hold(tx, account)?),
            None => Ok(()),
        }
    }
}

/// Holds an account with the next statement of a transaction, which fails where the account is gone.
pub(crate) fn account_hold(tx: &Tx, account: Uuid) -> Result<(), crate::db::Error> {
    tx.require("SELECT partywall.identity_hold($1)", account)
}

/// What somebody is in a tenant.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// Nothing, or there is no such tenant.
    Nobody,
    /// A member of one that is open.
    Open(Box<RequestAccount>),
    /// A member of one that is suspended.
    Suspended(Box<RequestAccount>),
    /// A member of one that was deleted and is not gone yet.
    Deleted(Box<RequestAccount>),
}

impl Standing {
    pub(super) fn of(account: RequestAccount, is_suspended: bool, is_deleted: bool) -> Self {
        let account = Box::new(account);
        match (is_deleted, is_suspended) {
            (true, _) => Self::Deleted(account),
            (false, true) => Self::Suspended(account),
            (false, false) => Self::Open(account),
        }
    }

    pub(super) fn account(&self) -> Result<RequestAccount, Error> {
        match self {
            Self::Open(account) => Ok(account.as_ref().clone()),
            Self::Suspended(_) => Err(Error::Suspended),
            Self::Deleted(_) | Self::Nobody => Err(Error::NotFound),
        }
    }

    pub(super) fn account_of_closed(&self) -> Result<RequestAccount, Error> {
        match self {
            Self::Open(account) | Self::Suspended(account) | Self::Deleted(account) => {
                Ok(account.as_ref().clone())
            }
            Self::Nobody => Err(Error::NotFound),
        }
    }
}
