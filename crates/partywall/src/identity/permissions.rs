use std::collections::{BTreeMap, BTreeSet};

use super::Error;

/// The roles that every tenant has. Each holds what the ones before it hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BuiltIn {
    /// Reads.
    Viewer,
    /// Works.
    Member,
    /// Runs the tenant: people, roles, keys.
    Admin,
    /// Everything, its end included. A tenant always has one.
    Owner,
}

impl BuiltIn {
    /// All of them, ascending.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Member, Self::Admin, Self::Owner];

    /// The role's name: `owner`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The permissions that this room asks for itself, and the least role that holds each.
const OWN: [(&str, BuiltIn); 17] = [
    ("audit.read", BuiltIn::Admin),
    ("domain.read", BuiltIn::Admin),
    ("domain.write", BuiltIn::Admin),
    ("group.read", BuiltIn::Viewer),
    ("group.write", BuiltIn::Admin),
    ("invitation.read", BuiltIn::Admin),
    ("invitation.write", BuiltIn::Admin),
    ("key.read", BuiltIn::Admin),
    ("key.write", BuiltIn::Admin),
    ("member.read", BuiltIn::Viewer),
    ("member.write", BuiltIn::Admin),
    ("role.read", BuiltIn::Viewer),
    ("role.write", BuiltIn::Admin),
    ("tenant.delete", BuiltIn::Owner),
    ("tenant.export", BuiltIn::Owner),
    ("tenant.transfer", BuiltIn::Owner),
    ("tenant.update", BuiltIn::Admin),
];

/// What can be permitted at all, as the application declares it, and which built-in role holds what.
///
/// A permission is a string `resource.action`. What is not declared is held by nobody, whatever the
/// database says.
///
/// ```
/// use partywall::identity::{BuiltIn, Permissions};
///
/// let permissions = Permissions::new()
///     .declare("note.read", BuiltIn::Viewer)?
///     .declare("note.publish", BuiltIn::Member)?;
/// assert!(permissions.of(BuiltIn::Owner).has("note.publish"));
/// assert!(!permissions.of(BuiltIn::Viewer).has("note.publish"));
/// # Ok::<(), partywall::identity::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Permissions {
    declared: BTreeMap<String, BuiltIn>,
}

impl Default for Permissions {
    fn default() -> Self {
        Self::new()
    }
}

impl Permissions {
    /// The permissions that managing people needs: `member.read`, `role.write`, `tenant.delete` …
    #[must_use]
    pub fn new() -> Self {
        let declared = OWN
            .into_iter()
            .map(|(name, least)| (name.to_owned(), least))
            .collect();
        Self { declared }
    }

    /// Declares a permission and the least built-in role that holds it; so do the roles above it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a name that is not `resource.action` in lower-case ASCII letters and
    /// `_`, and [`Error::Taken`] for one that is declared already.
    pub fn declare(mut self, name: &str, least: BuiltIn) -> Result<Self, Error> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        match name.split_once('.') {
            Some((resource, action)) if is_word(resource) && is_word(action) => {}
            Some(_) | None => {
                let message = format!("`{name}` is not of the form `resource.action`");
                return Err(Error::invalid("permission", message));
            }
        }
        match self.declared.insert(name.to_owned(), least) {
            None => Ok(self),
            Some(_) => Err(Error::Taken {
                field: "permission",
            }),
        }
    }

    /// All permissions, ascending, with the least role that holds each.
    pub fn all(&self) -> impl Iterator<Item = (&str, BuiltIn)> {
        self.declared
            .iter()
            .map(|(name, least)| (name.as_str(), *least))
    }

    /// Whether a permission is declared.
    #[must_use]
    pub fn is_declared(&self, name: &str) -> bool {
        self.declared.contains_key(name)
    }

    /// What a built-in role holds.
    #[must_use]
    pub fn of(&self, role: BuiltIn) -> PermissionSet {
        let held = self.all().filter(|(_, least)| *least <= role);
        PermissionSet(held.map(|(name, _)| name.to_owned()).collect())
    }

    /// What built-in roles and single permissions come to together, as far as it is declared.
    pub(super) fn effective(&self, builtins: &[String], single: &[String]) -> PermissionSet {
        let roles = builtins.iter().filter_map(|name| BuiltIn::named(name));
        let mut held = roles.map(|role| self.of(role).0).fold(
            BTreeSet::new(),
            |mut all: BTreeSet<String>, role| {
                all.extend(role);
                all
            },
        );
        held.extend(single.iter().filter(|name| self.is_declared(name)).cloned());
        PermissionSet(held)
    }
}

/// The permissions that somebody holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(BTreeSet<String>);

impl PermissionSet {
    /// Whether a permission is among them.
    #[must_use]
    pub fn has(&self, permission: &str) -> bool {
        self.0.contains(permission)
    }

    /// The permissions, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The first permission of `wanted` that is not among these.
    #[must_use]
    pub fn lacks<'a>(&'a self, wanted: &'a Self) -> Option<&'a str> {
        wanted.0.difference(&self.0).next().map(String::as_str)
    }

    pub(crate) fn with(mut self, more: impl IntoIterator<Item = String>) -> Self {
        self.0.extend(more);
        self
    }

    /// Those that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_holds_what_the_ones_below_hold() {
        let permissions = Permissions::new()
            .declare("note.write", BuiltIn::Member)
            .unwrap();
        for (lower, upper) in BuiltIn::ALL.iter().zip(BuiltIn::ALL.iter().skip(1)) {
            let (lower, upper) = (permissions.of(*lower), permissions.of(*upper));
            assert_eq!(upper.lacks(&lower), None);
            assert!(lower.lacks(&upper).is_some());
        }
    }

    #[test]
    fn what_is_not_declared_is_held_by_nobody() {
        let permissions = Permissions::new();
        let held = permissions.effective(
            &["viewer".to_owned(), "root".to_owned()],
            &["nothing.known".to_owned(), "audit.read".to_owned()],
        );
        assert!(held.has("member.read") && held.has("audit.read"));
        assert!(!held.has("nothing.known") && !held.has("member.write"));
    }

    #[test]
    fn a_malformed_or_repeated_name_is_refused() {
        for name in ["note", "note.", ".read", "note.read.all", "Note.read", ""] {
            let declared = Permissions::new().declare(name, BuiltIn::Viewer);
            assert!(matches!(declared, Err(Error::Invalid { .. })), "{name}");
        }
        let declared = Permissions::new().declare("member.read", BuiltIn::Viewer);
        assert!(matches!(declared, Err(Error::Taken { .. })));
    }
}
