//! Reaching a PostgreSQL server: TLS, and one connection with its driver task.

mod cancel;
mod connector;
mod tls;

pub(crate) use connector::Connector;
pub(crate) use tls::is_refusal;
pub use tls::{Tls, TlsError};
