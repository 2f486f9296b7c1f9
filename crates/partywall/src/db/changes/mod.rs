//! What becomes of a scope's rows, told after the commit.
//!
//! ```text
//! trigger ── NOTIFY: keys and owners ──▶ listener ──▶ hub ── by tenant ──▶ Changes of a scope
//! ```
//!
//! One connection of the process hears of every tenant's changes. Nothing outside of the hub does: a
//! subscriber gets those of its scope.

mod announcement;
mod change;
mod hub;
mod listener;
mod subscription;

pub use change::{Change, Operation, RowChange};
pub(super) use hub::Listening;
pub use subscription::{Changes, Subscription};
