use super::context::Context;

/// The attacker or the victim.
#[derive(Clone, Debug)]
pub(super) struct Party {
    /// The keys of its tenants, as text: one, or all of which a user is a member.
    pub(super) tenants: Vec<String>,
    pub(super) context: Context,
}

impl Party {
    /// The tenant in whose name it writes.
    pub(super) fn tenant(&self) -> &str {
        self.tenants.first().map_or("", String::as_str)
    }
}
