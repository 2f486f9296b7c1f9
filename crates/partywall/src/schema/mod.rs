//! What is protected, and the SQL that protects it.
//!
//! A model says who owns its rows ([`Scoped`]); a [`Schema`] collects the models and makes of them
//! the roles, functions, policies, keys and grants of one database, brings a database to that
//! state, and finds where it has drifted from it.

mod announce;
mod apply;
mod bootstrap;
mod builder;
mod columns;
#[cfg(feature = "web")]
mod constraint;
mod declared;
mod drift;
mod error;
mod grants;
mod install;
mod keys;
mod link;
mod make;
mod map;
mod migration;
mod object;
mod ownership;
mod path;
mod policies;
mod roles;
mod scoped;
mod seal;
mod sql;
mod table;
#[cfg(feature = "identity")]
mod tenant_table;

pub use apply::Applied;
pub use bootstrap::Passwords;
pub use builder::{Schema, SchemaBuilder, Unprotected};
pub use drift::{Drift, How};
pub use error::{ApplyError, Drifts, SchemaError};
pub use ownership::{Owned, Ownership, PathBy, Rights, Source};
pub(crate) use path::SAFE as SAFE_PATH;
pub use roles::Roles;
pub use scoped::Scoped;
pub use seal::{Seal, SealKey, SealKeyError};
#[cfg(any(feature = "testing", feature = "identity"))]
pub(crate) use sql::ident;
#[cfg(feature = "identity")]
pub(crate) use sql::literal;
pub(crate) use table::TableName;
#[cfg(feature = "identity")]
pub(crate) use tenant_table::{TenantTable, TenantTables};

/// SQLSTATE of «the scope has no dimension …», raised by the functions that policies read.
pub(crate) const NO_DIMENSION: &str = "PW001";

/// SQLSTATE of «the context is not valid», raised by the same functions, in `sql/sealed.sql`.
pub(crate) const INVALID_CONTEXT: &str = "PW002";

/// SQLSTATE of «the account is gone», raised by what rides with the statements of a request.
pub(crate) const GONE: &str = "PW003";
