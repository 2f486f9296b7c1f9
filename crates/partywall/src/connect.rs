//! Reaching a PostgreSQL server: TLS.

pub(crate) use partywall_connect::{Connector, is_refusal};
pub use partywall_connect::{Tls, TlsError};
