//! Placeholder.
pub mod scope;
pub use scope::{Dimension, Scope, TENANT};
extern crate self as partywall;
