//! Users, accounts and sessions, below HTTP.

mod lookups;
mod stolen;
pub mod world;
