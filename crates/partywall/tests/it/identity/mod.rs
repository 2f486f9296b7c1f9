//! Users, accounts and sessions, below HTTP.

pub mod asking;
mod desk;
mod invitations;
mod keys;
mod lookups;
mod mail;
mod passwords;
mod people;
mod sessions;
mod staff;
mod switching;
mod stolen;
pub mod world;
