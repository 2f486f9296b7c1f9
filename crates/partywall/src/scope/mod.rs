//! What a piece of work may touch: dimensions of ownership, and the values a scope holds for each.
//!
//! This room knows nothing of databases. A [`Scope`] is a plain value; the `db` room turns it into
//! the sealed context that PostgreSQL's policies read.

mod ambient;
mod dimension;
mod error;
#[expect(
    clippy::module_inception,
    reason = "the room is named after its one central noun"
)]
mod scope;
mod selection;
mod value;

pub use ambient::carry;
pub use dimension::{Dimension, DimensionValue, SqlType, TENANT};
pub use error::{ScopeError, ScopeErrorKind};
pub use scope::Scope;
pub use selection::{Selection, Values};
pub use value::ScopeValue;
