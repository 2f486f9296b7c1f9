//! A real PostgreSQL server as a child process: for tests, examples and first steps.
//!
//! ```
//! use partywall_embedded::{Server, Settings};
//!
//! # fn main() -> Result<(), partywall_embedded::Error> {
//! let server = Server::start(&Settings::temporary())?;
//! let url = server.superuser_url("postgres"); // for tokio-postgres, sqlx, psql …
//! # assert!(url.starts_with("postgresql://postgres:"));
//! server.stop()?; // dropping it does the same
//! # Ok(())
//! # }
//! ```
//!
//! Row-level security, roles and session settings have no honest mock, so everything here that touches the database runs
//! against PostgreSQL itself. This crate makes that cheap: no container, no service, no port.
//!
#![doc = include_str!("../docs/behaviour.md")]

#[cfg(not(unix))]
compile_error!("`partywall-embedded` needs a Unix: use a server that is running instead");

mod binaries;
mod candidates;
mod error;
mod home;
mod location;
mod lock;
mod log;
mod postmaster;
mod process;
mod random;
mod scratch;
mod server;
mod settings;
mod url;
mod user;
mod version;
mod watchdog;

pub use error::{DataVersionDiffers, Failure, InUse, NotFound, Refused};
pub use error::{Error, Kind};
pub use server::Server;
pub use settings::Settings;
pub use user::User;
pub use version::Version;
