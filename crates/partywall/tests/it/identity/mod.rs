//! Users, accounts and sessions, below HTTP.

mod export;
mod lookups;
mod matrix;
mod members;
pub mod note;
mod roles;
mod tenants;
pub mod world;
