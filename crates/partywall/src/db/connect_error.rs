use std::fmt;

use super::audit::Findings;
use super::{ConfigError, Error, guard::Unsafe};
use crate::{connect::TlsError, schema::Drifts};

/// Why [`Db::connect`](super::Db::connect) refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The login could get around the policies.
    #[error("the login is not safe to use: {0}")]
    Unsafe(UnsafeRights),
    /// The login is not the one that the policies are for.
    #[error("connected as `{login}`, but the policies are for `{wanted}`: use that login")]
    WrongLogin {
        /// The login that was used.
        login: String,
        /// The application login of the schema.
        wanted: String,
    },
    /// The schema, as it is declared now, was never applied.
    #[error(
        "the database does not have this version of the schema: run `Schema::apply` with the owner's login"
    )]
    NotApplied,
    /// The database was altered since the schema was applied.
    #[error(
        "the database is not as it was applied: {0}; run `Schema::apply` to put it right, and drop what it did not make"
    )]
    Drift(Drifts),
    /// The audit found ways from one tenant to another.
    #[error("the database does not isolate its tenants: {0}")]
    Audit(Findings),
    /// The audit could not be made.
    #[error(transparent)]
    NotAudited(#[from] partywall_audit::AuditError),
    /// Sealed contexts would expire before they arrive, or be good for too long.
    #[error("the clock of the database is {0:+.0} s off this machine's: synchronise them")]
    ClockSkew(f64),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The database could not be asked.
    #[error(transparent)]
    Database(#[from] Error),
}

impl From<tokio_postgres::Error> for ConnectError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Everything that the login could use to get around the policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafeRights(Vec<Unsafe>);

impl UnsafeRights {
    /// The single findings.
    #[must_use]
    pub fn findings(&self) -> &[Unsafe] {
        &self.0
    }
}

impl From<Vec<Unsafe>> for UnsafeRights {
    fn from(findings: Vec<Unsafe>) -> Self {
        Self(findings)
    }
}

impl fmt::Display for UnsafeRights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, finding) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            finding.fmt(f)?;
        }
        Ok(())
    }
}
