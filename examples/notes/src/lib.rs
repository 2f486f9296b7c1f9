//! Notes for several tenants: what Partywall looks like in an application.
//!
//! The handlers hold no tenant filter and ask for no permission. Whose rows there are is declared in
//! `models`; who may do what in `permissions` and `policies`, and at each endpoint of [`routes`], which
//! is checked before its handler; PostgreSQL enforces.

mod app;
mod args;
mod database;
mod exports;
mod import;
mod models;
mod notes;
mod permissions;
mod playground;
mod policies;
mod run;
mod seed;
mod tenant_file;
mod web;

pub use app::{App, Serving, StartError, settings};
pub use args::Args;
pub use database::{Database, OpenError, Place};
pub use import::{Import, ImportError};
pub use permissions::permissions;
pub use run::run;
pub use web::{Extras, openapi, routes};
