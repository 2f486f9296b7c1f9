//! Notes for several tenants: what Partywall looks like in an application.
//!
//! The handlers hold no tenant filter. Whose rows there are is declared in `models`, who may do what in
//! `permissions`, both are decided once per request by `partywall::identity`, and PostgreSQL enforces.

mod app;
mod args;
mod database;
mod import;
mod models;
mod notes;
mod permissions;
mod playground;
mod run;
mod seed;
mod tenant_file;
mod web;

pub use app::{Serving, StartError, settings};
pub use args::Args;
pub use database::{Database, OpenError, Place};
pub use import::{Import, ImportError};
pub use run::run;
