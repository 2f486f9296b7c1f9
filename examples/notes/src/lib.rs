//! Notes for several tenants: what Partywall looks like in an application.
//!
//! The handlers hold no tenant filter. Who may see what is declared in `models`, decided once per
//! request in `identity`, and enforced by PostgreSQL.

mod app;
mod args;
mod database;
mod identity;
mod import;
mod models;
mod notes;
mod playground;
mod run;
mod seed;
mod web;

pub use app::{Serving, StartError};
pub use args::Args;
pub use database::{Database, OpenError, Place};
pub use import::{Import, ImportError};
pub use run::run;
