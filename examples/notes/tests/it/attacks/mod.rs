//! What a hostile member types. `{acme}` is the attacker's tenant, `{globex}` the victim's, and
//! `{context}` the context that the victim's own requests have, as it is without a seal.

pub mod catalogue;
pub mod context;
pub mod execution;
pub mod identity;
pub mod keys;
pub mod leftovers;
pub mod protocol;
pub mod reads;
pub mod resources;
pub mod roles;
pub mod server;
pub mod writes;

/// Statements of one kind.
pub struct Kind {
    pub name: &'static str,
    /// The statement, and what it tries.
    pub attacks: &'static [(&'static str, &'static str)],
    /// The same kind of statement where it is allowed, and what its answer then holds: `OWN` stands
    /// for the marker of the attacker's rows.
    pub controls: &'static [(&'static str, &'static str)],
}

pub fn all() -> Vec<Kind> {
    vec![
        context::classic(),
        context::other(),
        reads::kind(),
        writes::kind(),
        keys::kind(),
        identity::kind(),
        roles::kind(),
        leftovers::kind(),
        execution::kind(),
        catalogue::kind(),
        server::kind(),
        resources::kind(),
        protocol::kind(),
    ]
}
