//! Tenant isolation for Rust web applications on PostgreSQL.
//!
//! Many tenants share one database and one schema; each sees only its own rows. A query without a
//! scope does not compile, and PostgreSQL's row-level security refuses it again.
//!
//! | to | use |
//! |---|---|
//! | say whose rows a piece of work may touch | [`Scope`], [`TENANT`], [`Dimension`] |
//! | say who owns a table's rows | [`derive(Scoped)`](macro@Scoped) |
//! | make and check the database | [`Schema`] |
//! | read and write | [`Db::scoped`], [`Db::begin`], [`Within`], [`Sql`] |
//! | do what the service itself must do across tenants | [`Db::across`] |
//! | know who asks and what they may do in a tenant | [`identity`], with the feature of that name |
//! | decide what somebody may do, to which rows and fields | [`policy`], with the feature `identity` |
//! | do work later, in the tenant that it came from | [`jobs`], with the feature of that name |
//! | test | [`testing`], with the feature of that name |
//!
//! The repository's README is the tour, ARCHITECTURE.md the map, DESIGN.md answers why, and
//! SECURITY.md says what is not protected.

pub mod connect;
pub mod db;
#[cfg(feature = "identity")]
pub mod identity;
#[cfg(feature = "jobs")]
pub mod jobs;
#[cfg(feature = "identity")]
pub mod policy;
pub mod schema;
pub mod scope;
#[cfg(feature = "testing")]
pub mod testing;
pub(crate) mod value;
#[cfg(feature = "web")]
pub mod web;

pub use db::{Across, Config, Db, ScopedDb, Sql, Tx, Within};
pub use partywall_macros::Scoped;
pub use schema::{Roles, Schema, Scoped, Seal, SealKey};
pub use scope::{Dimension, Scope, TENANT};

/// For the code that `derive(Scoped)` generates.
#[doc(hidden)]
pub mod __private {
    pub use sea_orm;
}

// The derive names this crate from outside and, in tests and examples, from inside.
extern crate self as partywall;

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
