//! Tenant isolation for Rust web applications on PostgreSQL.

pub mod connect;
pub mod db;
pub mod schema;
pub mod scope;
#[cfg(feature = "testing")]
pub mod testing;
pub(crate) mod value;

pub use db::{Across, Config, Db, ScopedDb, Sql, Tx, Within};
pub use partywall_macros::Scoped;
pub use schema::{Roles, Schema, Scoped, Seal, SealKey};
pub use scope::{Dimension, Scope, TENANT};

/// For the code that `derive(Scoped)` generates.
#[doc(hidden)]
pub mod __private {
    pub use sea_orm;
}

extern crate self as partywall;
