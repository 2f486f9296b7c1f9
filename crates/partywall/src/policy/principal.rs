use std::{fmt, ops::Not};

use super::{PolicyError, Subject};
use crate::identity::BuiltIn;

/// Whom a statement is about.
///
/// Roles and permissions are those of the account in the tenant. [`any_of`](Self::any_of),
/// [`all_of`](Self::all_of) and `!` combine them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Anyone,
    Anonymous,
    Authenticated,
    Member,
    Staff,
    Key,
    Impersonating,
    Role(RoleName),
    Permission(String),
    AnyOf(Vec<Principal>),
    AllOf(Vec<Principal>),
    Not(Box<Principal>),
}

/// A role by its name: a built-in one, which stands for those above it as well, or a tenant's own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleName {
    /// A built-in role or one above it.
    BuiltIn(BuiltIn),
    /// A role of a tenant's own. Whoever may write roles there can make one of this name: ask for a
    /// permission where an admin of the tenant must not give it.
    Own(String),
}

impl From<BuiltIn> for RoleName {
    fn from(role: BuiltIn) -> Self {
        Self::BuiltIn(role)
    }
}

impl From<&str> for RoleName {
    fn from(name: &str) -> Self {
        BuiltIn::named(name).map_or_else(|| Self::Own(name.to_owned()), Self::BuiltIn)
    }
}

impl Principal {
    /// Everybody, known or not.
    #[must_use]
    pub fn anyone() -> Self {
        Self(Kind::Anyone)
    }

    /// Whoever is not known.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(Kind::Anonymous)
    }

    /// Whoever is known: persons and programs, in a tenant or not.
    #[must_use]
    pub fn authenticated() -> Self {
        Self(Kind::Authenticated)
    }

    /// Persons who act through an account of the tenant.
    #[must_use]
    pub fn member() -> Self {
        Self(Kind::Member)
    }

    /// Members of the staff who act as such: inside of a tenant by an entry, or outside of any.
    #[must_use]
    pub fn staff() -> Self {
        Self(Kind::Staff)
    }

    /// Programs, which act through a key.
    #[must_use]
    pub fn key() -> Self {
        Self(Kind::Key)
    }

    /// Members of the staff who act as somebody else.
    #[must_use]
    pub fn impersonating() -> Self {
        Self(Kind::Impersonating)
    }

    /// Members who hold a role: `Principal::role(BuiltIn::Admin)`, which is admins and owners, or
    /// `Principal::role("editor")`, a role of the tenant's own.
    ///
    /// Programs hold none, since a key may do less than its account, and neither do the staff: say
    /// [`key`](Self::key), [`staff`](Self::staff) or [`permission`](Self::permission) for these.
    pub fn role(role: impl Into<RoleName>) -> Self {
        Self(Kind::Role(role.into()))
    }

    /// Whoever has a permission.
    pub fn permission(permission: impl Into<String>) -> Self {
        Self(Kind::Permission(permission.into()))
    }

    /// Whoever is at least one of these.
    pub fn any_of(principals: impl IntoIterator<Item = Self>) -> Self {
        Self(Kind::AnyOf(principals.into_iter().collect()))
    }

    /// Whoever is all of these.
    pub fn all_of(principals: impl IntoIterator<Item = Self>) -> Self {
        Self(Kind::AllOf(principals.into_iter().collect()))
    }

    /// Whether a subject is meant.
    #[must_use]
    pub fn is(&self, subject: &Subject) -> bool {
        match &self.0 {
            Kind::Anyone => true,
            Kind::Anonymous => !subject.is_authenticated(),
            Kind::Authenticated => subject.is_authenticated(),
            Kind::Member => subject.is_member(),
            Kind::Staff => subject.is_staff(),
            Kind::Key => subject.is_key(),
            Kind::Impersonating => subject.impersonator().is_some(),
            Kind::Role(RoleName::BuiltIn(role)) => subject.roles().has(*role),
            Kind::Role(RoleName::Own(name)) => subject.roles().has_own(name),
            Kind::Permission(permission) => subject.has(permission),
            Kind::AnyOf(all) => all.iter().any(|one| one.is(subject)),
            Kind::AllOf(all) => all.iter().all(|one| one.is(subject)),
            Kind::Not(one) => !one.is(subject),
        }
    }

    /// The permissions that it names.
    pub(super) fn permissions(&self) -> Vec<&str> {
        match &self.0 {
            Kind::Permission(permission) => vec![permission],
            Kind::AnyOf(all) | Kind::AllOf(all) => all.iter().flat_map(Self::permissions).collect(),
            Kind::Not(one) => one.permissions(),
            Kind::Anyone
            | Kind::Anonymous
            | Kind::Authenticated
            | Kind::Member
            | Kind::Staff
            | Kind::Key
            | Kind::Impersonating
            | Kind::Role(_) => Vec::new(),
        }
    }

    /// Refuses lists of nothing: all of nothing would be everybody.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        match &self.0 {
            Kind::AnyOf(all) | Kind::AllOf(all) if all.is_empty() => {
                Err(PolicyError::Empty("principals"))
            }
            Kind::AnyOf(all) | Kind::AllOf(all) => all.iter().try_for_each(Self::check),
            Kind::Not(one) => one.check(),
            Kind::Anyone
            | Kind::Anonymous
            | Kind::Authenticated
            | Kind::Member
            | Kind::Staff
            | Kind::Key
            | Kind::Impersonating
            | Kind::Role(_)
            | Kind::Permission(_) => Ok(()),
        }
    }

    fn enclosed(&self) -> String {
        if matches!(self.0, Kind::AnyOf(_) | Kind::AllOf(_)) {
            format!("({self})")
        } else {
            self.to_string()
        }
    }

    fn joined(all: &[Self], word: &str) -> String {
        let each = all.iter().map(Self::enclosed);
        each.collect::<Vec<_>>().join(word)
    }
}

impl Not for Principal {
    type Output = Self;

    /// Everybody else, anonymous visitors too.
    fn not(self) -> Self {
        match self {
            Self(Kind::Not(one)) => *one,
            plain => Self(Kind::Not(Box::new(plain))),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Anyone => f.write_str("anyone"),
            Kind::Anonymous => f.write_str("anonymous"),
            Kind::Authenticated => f.write_str("authenticated"),
            Kind::Member => f.write_str("member"),
            Kind::Staff => f.write_str("staff"),
            Kind::Key => f.write_str("key"),
            Kind::Impersonating => f.write_str("impersonating"),
            Kind::Role(RoleName::BuiltIn(BuiltIn::Owner)) => f.write_str("role owner"),
            Kind::Role(RoleName::BuiltIn(role)) => write!(f, "role {} or above", role.name()),
            Kind::Role(RoleName::Own(name)) => write!(f, "own role `{name}`"),
            Kind::Permission(permission) => write!(f, "`{permission}`"),
            Kind::AnyOf(all) => f.write_str(&Self::joined(all, " or ")),
            Kind::AllOf(all) => f.write_str(&Self::joined(all, " and ")),
            Kind::Not(one) => write!(f, "all but {}", one.enclosed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::identity::Permissions;

    #[test]
    fn each_principal_is_who_it_says() {
        let (tenant, id, declared) = (Uuid::nil(), Uuid::nil(), Permissions::new());
        let subjects = [
            ("anonymous", Subject::anonymous()),
            ("signed in", Subject::user(id)),
            ("staff outside", Subject::staff_user(id)),
            (
                "viewer",
                Subject::member(tenant, id).with_role(BuiltIn::Viewer, &declared),
            ),
            (
                "owner",
                Subject::member(tenant, id).with_role(BuiltIn::Owner, &declared),
            ),
            (
                "editor",
                Subject::member(tenant, id).with_own_role("editor"),
            ),
            (
                "called admin",
                Subject::member(tenant, id).with_own_role("admin"),
            ),
            (
                "impersonated",
                Subject::member(tenant, id).with_impersonator(id),
            ),
            ("staff inside", Subject::staff(tenant, id)),
            (
                "key",
                Subject::key(tenant, id, Some(id)).with_permissions(["audit.read"]),
            ),
        ];
        let principals = [
            Principal::anyone(),
            Principal::anonymous(),
            Principal::authenticated(),
            Principal::member(),
            Principal::staff(),
            Principal::key(),
            Principal::impersonating(),
            Principal::role(BuiltIn::Viewer),
            Principal::role("admin"),
            Principal::role("owner"),
            Principal::role("editor"),
            Principal::permission("audit.read"),
            !Principal::member(),
            !!Principal::member(),
            Principal::any_of([Principal::key(), Principal::role("editor")]),
            Principal::all_of([
                Principal::member(),
                !Principal::any_of([Principal::role("owner"), Principal::impersonating()]),
            ]),
        ];
        let lines = principals.iter().map(|principal| {
            let meant = subjects.iter().filter(|(_, subject)| principal.is(subject));
            let names: Vec<_> = meant.map(|(name, _)| *name).collect();
            format!("{principal}: {}", names.join(", "))
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
            anyone: anonymous, signed in, staff outside, viewer, owner, editor, called admin, impersonated, staff inside, key
            anonymous: anonymous
            authenticated: signed in, staff outside, viewer, owner, editor, called admin, impersonated, staff inside, key
            member: viewer, owner, editor, called admin, impersonated
            staff: staff outside, staff inside
            key: key
            impersonating: impersonated
            role viewer or above: viewer, owner
            role admin or above: owner
            role owner: owner
            own role `editor`: editor
            `audit.read`: owner, key
            all but member: anonymous, signed in, staff outside, staff inside, key
            member: viewer, owner, editor, called admin, impersonated
            key or own role `editor`: editor, key
            member and all but (role owner or impersonating): viewer, editor, called admin
            ");
    }

    #[test]
    fn nobodys_row_is_nobodys() {
        let key = Subject::key(Uuid::nil(), Uuid::nil(), None);
        assert!(!key.is_account(None) && !key.is_account(Uuid::nil()));
        let member = Subject::member(Uuid::nil(), Uuid::nil());
        assert!(member.is_account(Uuid::nil()) && !member.is_account(None));
    }
}
