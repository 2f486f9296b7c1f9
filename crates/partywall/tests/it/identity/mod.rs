//! Users, accounts and sessions, below HTTP.

pub mod asking;
mod invitations;
mod keys;
mod lookups;
mod mail;
mod staff;
pub mod world;
