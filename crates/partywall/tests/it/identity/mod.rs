//! Users, accounts and sessions, below HTTP.

mod desk;
mod lookups;
mod passwords;
mod people;
mod sessions;
mod switching;
pub mod world;
