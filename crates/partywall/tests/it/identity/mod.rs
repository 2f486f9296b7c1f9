//! Users, accounts and sessions, below HTTP.

mod desk;
mod lookups;
mod passwords;
mod people;
pub mod world;
