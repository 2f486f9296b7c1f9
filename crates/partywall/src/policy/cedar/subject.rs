//! Who asks and by which request, as Cedar sees it. `prelude.cedarschema` says the same to its validator.

use super::facts::{Attribute, Facts};
use crate::{
    identity::BuiltIn,
    policy::{Action, RequestFacts, Subject},
};

/// The type of the principal, and what is known of it.
pub(super) fn principal(subject: &Subject) -> (&'static str, Facts) {
    let (kind, id) = if let Some(key) = subject.key_id() {
        ("Key", key.to_string())
    } else if let Some(account) = subject.account() {
        ("Account", account.to_string())
    } else if let Some(person) = subject.user_id().or(subject.staff_entry()) {
        ("User", person.to_string())
    } else {
        ("Visitor", String::new())
    };
    let entity = |kind, id: uuid::Uuid| Attribute::entity(kind, id);
    let held = BuiltIn::ALL.into_iter();
    let roles = held.filter(|role| subject.roles().has(*role));
    let facts = Facts::of(id)
        .with("roles", roles.map(BuiltIn::name).collect::<Attribute>())
        .with("own_roles", subject.roles().own().collect::<Attribute>())
        .with(
            "permissions",
            subject.permissions().iter().collect::<Attribute>(),
        )
        .with("staff", subject.is_staff())
        .with("impersonated", subject.impersonator().is_some())
        .with_some("tenant", subject.tenant().map(|id| entity("Tenant", id)))
        .with_some("account", subject.account().map(|id| entity("Account", id)))
        .with_some("user", subject.user_id().map(|id| entity("User", id)));
    (kind, facts)
}

pub(super) fn context(action: &Action, request: &RequestFacts) -> Vec<(String, Attribute)> {
    Facts::of("")
        .with("method", request.method())
        .with("read_only", action.read_only())
        .with("path", request.path())
        .with("secure", request.is_secure())
        .with("at", request.at())
        .with_some("address", request.address())
        .attributes
}
