use std::collections::BTreeSet;

use super::BuiltIn;

/// The roles that a member holds, by groups and by what roles include as well.
///
/// The tenant's own roles are named by whoever may write roles there, so a name is their word, not
/// yours: ask for a permission where that matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleSet {
    highest: Option<BuiltIn>,
    own: BTreeSet<String>,
}

impl RoleSet {
    pub(crate) fn new(
        builtins: impl IntoIterator<Item = BuiltIn>,
        own: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            highest: builtins.into_iter().max(),
            own: own.into_iter().collect(),
        }
    }

    /// Whether a built-in role or one above it is among them.
    #[must_use]
    pub fn has(&self, role: BuiltIn) -> bool {
        self.highest.is_some_and(|highest| highest >= role)
    }

    /// Whether a role of the tenant's own is among them. The built-in ones are not looked at, so that
    /// nobody becomes one by a name.
    #[must_use]
    pub fn has_own(&self, name: &str) -> bool {
        self.own.contains(name)
    }

    /// The highest built-in role.
    #[must_use]
    pub fn highest(&self) -> Option<BuiltIn> {
        self.highest
    }

    /// The names of the tenant's own roles, ascending.
    pub fn own(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(String::as_str)
    }

    pub(crate) fn with(self, role: BuiltIn) -> Self {
        Self {
            highest: self.highest.max(Some(role)),
            own: self.own,
        }
    }

    pub(crate) fn with_own(mut self, name: String) -> Self {
        self.own.insert(name);
        self
    }
}
