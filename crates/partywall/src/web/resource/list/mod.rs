//! What may be asked of a list, and what one request asks.

mod asked;
mod condition;
mod declared;
mod op;
mod query;
#[cfg(test)]
mod tests;

pub use declared::List;
pub use op::Op;

pub(super) use asked::{Asked, Known, Term, read_selection};
pub(super) use condition::beyond;
pub(super) use declared::key_columns;
pub(super) use query::query_parameters;
