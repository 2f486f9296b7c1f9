//! What the application stores, and for each table who owns its rows.

#![allow(
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "SeaORM's macros make entities, and what they generate for them, public"
)]

pub(crate) mod comment;
pub(crate) mod export;
pub(crate) mod note;
pub(crate) mod note_tag;
pub(crate) mod tag;

use partywall::{
    Roles, Schema, Seal, identity::Identity, jobs, schema::SchemaError, web::resource::idempotency,
};

/// All models and the library's own, with logins named after the database, so that several instances
/// share a server.
pub(crate) fn schema(database: &str, seal: Seal) -> Result<Schema, SchemaError> {
    let tables = Identity::tables(Schema::builder(Roles::named(database), seal));
    jobs::tables(idempotency::tables(tables))
        .model::<note::Entity>()
        .model::<comment::Entity>()
        .model::<tag::Entity>()
        .model::<note_tag::Entity>()
        .model::<export::Entity>()
        .announces::<note::Entity>()
        .announces::<comment::Entity>()
        .announces::<note_tag::Entity>()
        .announces::<tag::Entity>()
        .announces::<export::Entity>()
        .build()
}
