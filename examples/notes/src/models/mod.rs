//! What the application stores, and for each table who owns its rows.

#![allow(
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "SeaORM's macros make entities, and what they generate for them, public"
)]

pub(crate) mod comment;
pub(crate) mod credential;
pub(crate) mod membership;
pub(crate) mod note;
pub(crate) mod note_tag;
pub(crate) mod person;
pub(crate) mod session;
pub(crate) mod tag;
pub(crate) mod tenant;

use partywall::{Dimension, Roles, Schema, Seal, schema::SchemaError};

/// Whose account it is, for what belongs to a person and not to a tenant.
pub(crate) const PERSON: Dimension = Dimension::new("person");

/// The address that somebody signs in with: all that is known before the password was checked.
pub(crate) const EMAIL: Dimension<String> = Dimension::new("email");

/// The SHA-256 of a session's token: all that a cookie proves.
pub(crate) const SESSION: Dimension<String> = Dimension::new("session");

/// All models, with logins named after the database, so that several instances share a server.
pub(crate) fn schema(database: &str, seal: Seal) -> Result<Schema, SchemaError> {
    Schema::builder(Roles::named(database), seal)
        .migration("tenants have slugs of their own", tenant::SLUGS_ARE_UNIQUE)
        .model::<tenant::Entity>()
        .model::<note::Entity>()
        .model::<comment::Entity>()
        .model::<tag::Entity>()
        .model::<note_tag::Entity>()
        .model::<person::Entity>()
        .model::<credential::Entity>()
        .model::<membership::Entity>()
        .model::<session::Entity>()
        .build()
}
