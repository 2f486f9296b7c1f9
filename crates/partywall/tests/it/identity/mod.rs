//! Users, accounts and sessions, below HTTP.

pub mod asking;
mod invitations;
mod keys;
mod lookups;
mod mail;
pub mod world;
