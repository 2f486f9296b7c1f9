//! Users, accounts and sessions, below HTTP.

mod lookups;
pub mod world;
