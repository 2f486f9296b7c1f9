//! The policies that need no more than one word.

use super::{Actions, Policy, Principal};

/// One permission for every action: `policy::require("note.read")`.
#[must_use]
pub fn require(permission: &str) -> Policy {
    Policy::new(permission)
        .allow(
            permission,
            Principal::permission(permission),
            Actions::any(),
        )
        .unchecked()
}

/// Whoever is known may do everything: for what belongs to a person, in no tenant.
#[must_use]
pub fn authenticated() -> Policy {
    Policy::new("authenticated")
        .allow("authenticated", Principal::authenticated(), Actions::any())
        .unchecked()
}

/// Everybody may do everything: for the door itself, signing in for instance.
#[must_use]
pub fn anyone() -> Policy {
    Policy::new("anyone")
        .allow("anyone", Principal::anyone(), Actions::any())
        .unchecked()
}
