//! Users, accounts and sessions, below HTTP.

pub mod asking;
mod lookups;
mod mail;
pub mod world;
