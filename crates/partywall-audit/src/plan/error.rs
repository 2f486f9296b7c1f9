use super::Violation;
use crate::AuditError;

/// Why a plan was not applied to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The audit behind it could not be made.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A step failed; those before it are done, and applying again goes on from there.
    #[error("step `{step}` failed; those before it are done, and applying again goes on from here")]
    Step {
        /// Its name.
        step: String,
        /// What PostgreSQL said.
        source: tokio_postgres::Error,
    },
    /// Rows violate the plan; nothing was changed.
    #[error("{} of the plan are violated by rows: mend them, then plan again", .0.len())]
    Violations(Vec<Violation>),
    /// Others hold the lock that a step needs; those before it are done, and applying again goes on from there.
    #[error(
        "step `{step}` did not get its lock in {tries} tries: apply again when less is going on"
    )]
    Locked {
        /// Its name.
        step: String,
        /// How often it was tried.
        tries: u32,
    },
    /// Somebody else is applying a plan to this database.
    #[error("another session is applying a plan to this database: wait until it is done")]
    Busy,
    /// The database is not as it was planned for.
    #[error("the database is not as it was planned for: {0}; plan again")]
    Surprise(String),
}
