//! Reaching a PostgreSQL server: TLS, and one connection with its driver task.
//!
//! What an application asks of the database goes through `partywall::Db`, which hands out no connection. This
//! crate is what that and the command-line tool stand on.

mod cancel;
mod connector;
mod tls;

pub use connector::Connector;
pub use tls::{Tls, TlsError, is_refusal};
