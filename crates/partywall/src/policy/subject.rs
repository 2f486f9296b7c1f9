use uuid::Uuid;

use crate::identity::{
    Actor, BuiltIn, PermissionSet, Permissions, RequestAccount, RequestUser, RoleSet,
};

/// Who asks, as far as a policy wants to know.
///
/// Made of a [`RequestAccount`] inside of a tenant and of a [`RequestUser`] outside; the other ways
/// are for tests. It opens nothing: a scope comes from the account alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    kind: Kind,
    user: Option<Uuid>,
    tenant: Option<Uuid>,
    account: Option<Uuid>,
    impersonator: Option<Uuid>,
    roles: RoleSet,
    permissions: PermissionSet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Anonymous,
    User { is_staff: bool },
    Member,
    Staff { entry: Uuid },
    Key { key: Uuid },
}

impl Subject {
    /// Nobody who is known.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::of(Kind::Anonymous)
    }

    /// A person outside of any tenant.
    #[must_use]
    pub fn user(user: Uuid) -> Self {
        Self {
            user: Some(user),
            ..Self::of(Kind::User { is_staff: false })
        }
    }

    /// A member of the staff outside of any tenant.
    #[must_use]
    pub fn staff_user(user: Uuid) -> Self {
        Self {
            user: Some(user),
            ..Self::of(Kind::User { is_staff: true })
        }
    }

    /// A member of a tenant through an account that holds nothing yet.
    #[must_use]
    pub fn member(tenant: Uuid, account: Uuid) -> Self {
        Self {
            tenant: Some(tenant),
            account: Some(account),
            ..Self::of(Kind::Member)
        }
    }

    /// A member of the staff inside of a tenant, by an entry.
    #[must_use]
    pub fn staff(tenant: Uuid, entry: Uuid) -> Self {
        Self {
            tenant: Some(tenant),
            ..Self::of(Kind::Staff { entry })
        }
    }

    /// A program: by a key of the tenant's own, or of an account's.
    #[must_use]
    pub fn key(tenant: Uuid, key: Uuid, account: Option<Uuid>) -> Self {
        Self {
            tenant: Some(tenant),
            account,
            ..Self::of(Kind::Key { key })
        }
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            user: None,
            tenant: None,
            account: None,
            impersonator: None,
            roles: RoleSet::default(),
            permissions: PermissionSet::default(),
        }
    }

    /// Says which person it is.
    #[must_use]
    pub fn with_user(mut self, user: Uuid) -> Self {
        self.user = Some(user);
        self
    }

    /// Says which member of the staff acts as this person.
    #[must_use]
    pub fn with_impersonator(mut self, user: Uuid) -> Self {
        self.impersonator = Some(user);
        self
    }

    /// Gives permissions.
    #[must_use]
    pub fn with_permissions(
        mut self,
        permissions: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.permissions = self
            .permissions
            .with(permissions.into_iter().map(Into::into));
        self
    }

    /// Gives a built-in role, with the permissions that it holds.
    #[must_use]
    pub fn with_role(mut self, role: BuiltIn, declared: &Permissions) -> Self {
        self.roles = self.roles.with(role);
        let held = declared.of(role);
        self.permissions = self.permissions.with(held.iter().map(str::to_owned));
        self
    }

    /// Gives a role of the tenant's own by its name; its permissions come one by one.
    #[must_use]
    pub fn with_own_role(mut self, name: impl Into<String>) -> Self {
        self.roles = self.roles.with_own(name.into());
        self
    }

    /// The person; nobody where a program asks.
    #[must_use]
    pub fn user_id(&self) -> Option<Uuid> {
        self.user
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> Option<Uuid> {
        self.tenant
    }

    /// The account that acts, or whose key does; none for the staff and for the tenant's own keys.
    ///
    /// Compare it by [`is_account`](Self::is_account): `None == None` is nobody's row.
    #[must_use]
    pub fn account(&self) -> Option<Uuid> {
        self.account
    }

    /// Whether it acts through this account. Never where either is none.
    pub fn is_account(&self, account: impl Into<Option<Uuid>>) -> bool {
        self.account.is_some() && self.account == account.into()
    }

    /// The member of the staff who acts as this person.
    #[must_use]
    pub fn impersonator(&self) -> Option<Uuid> {
        self.impersonator
    }

    /// The entry of the staff, inside of a tenant.
    #[must_use]
    pub fn staff_entry(&self) -> Option<Uuid> {
        match self.kind {
            Kind::Staff { entry } => Some(entry),
            Kind::Anonymous | Kind::User { .. } | Kind::Member | Kind::Key { .. } => None,
        }
    }

    /// The program's key.
    #[must_use]
    pub fn key_id(&self) -> Option<Uuid> {
        match self.kind {
            Kind::Key { key } => Some(key),
            Kind::Anonymous | Kind::User { .. } | Kind::Member | Kind::Staff { .. } => None,
        }
    }

    /// Whether it is somebody who is known: a person or a program.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.kind != Kind::Anonymous
    }

    /// Whether it is a person who acts through an account of their own.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.kind == Kind::Member
    }

    /// Whether it is a program.
    #[must_use]
    pub fn is_key(&self) -> bool {
        matches!(self.kind, Kind::Key { .. })
    }

    /// Whether it acts as a member of the staff. Who has an account in the tenant acts as a member.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        matches!(
            self.kind,
            Kind::Staff { .. } | Kind::User { is_staff: true }
        )
    }

    /// The roles. Members alone have any: a key may do less than its account, and the staff are
    /// nobody's viewers, owners or editors.
    #[must_use]
    pub fn roles(&self) -> &RoleSet {
        &self.roles
    }

    /// The permissions.
    #[must_use]
    pub fn permissions(&self) -> &PermissionSet {
        &self.permissions
    }

    /// Whether it has a permission.
    #[must_use]
    pub fn has(&self, permission: &str) -> bool {
        self.permissions.has(permission)
    }
}

impl From<&RequestAccount> for Subject {
    fn from(account: &RequestAccount) -> Self {
        let kind = match account.actor() {
            Actor::Member { .. } => Kind::Member,
            Actor::Staff { entry, .. } => Kind::Staff { entry: *entry },
            Actor::Key { key, .. } => Kind::Key { key: *key },
        };
        Self {
            kind,
            user: account.user().map(|user| user.id),
            tenant: Some(account.tenant().id),
            account: account.id(),
            impersonator: account.user().and_then(|user| user.impersonator),
            roles: account.roles().clone(),
            permissions: account.permissions().clone(),
        }
    }
}

impl From<&RequestUser> for Subject {
    fn from(user: &RequestUser) -> Self {
        Self {
            user: Some(user.id),
            impersonator: user.impersonator,
            ..Self::of(Kind::User {
                is_staff: user.is_staff,
            })
        }
    }
}
