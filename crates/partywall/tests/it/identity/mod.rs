//! Users, accounts and sessions, below HTTP.

pub mod asking;
mod desk;
mod domains;
mod export;
mod holding;
mod invitations;
mod inviting;
mod keys;
mod known;
mod lookups;
mod mail;
mod matrix;
mod members;
pub mod note;
mod passwords;
mod people;
mod roles;
mod sessions;
mod staff;
mod stolen;
mod switching;
mod tenants;
pub mod world;
