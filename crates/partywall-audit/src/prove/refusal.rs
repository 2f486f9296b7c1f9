use std::fmt;

use tokio_postgres::error::SqlState;

use crate::AuditError;

/// What PostgreSQL said to a statement that it refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: SqlState,
    message: String,
    routine: String,
    pub(super) constraint: Option<String>,
}

impl Refusal {
    /// Takes what the server said; an error of the connection itself is an error.
    pub(super) fn of(
        doing: &'static str,
        error: tokio_postgres::Error,
    ) -> Result<Self, AuditError> {
        let Some(said) = error.as_db_error() else {
            return Err(AuditError::Sql {
                doing,
                source: error,
            });
        };
        // The server ends the session: it is no answer to the attack.
        if said.severity() == "FATAL" || said.severity() == "PANIC" {
            return Err(AuditError::Sql {
                doing,
                source: error,
            });
        }
        Ok(Self {
            code: said.code().clone(),
            message: said.message().to_owned(),
            routine: said.routine().unwrap_or_default().to_owned(),
            constraint: said.constraint().map(str::to_owned),
        })
    }

    /// Whether a privilege was missing, in whatever language the server speaks.
    pub(super) fn is_privilege(&self) -> bool {
        self.code == SqlState::INSUFFICIENT_PRIVILEGE && !self.is_policy()
    }

    /// Whether a policy refused a new row.
    pub(super) fn is_policy(&self) -> bool {
        self.code == SqlState::INSUFFICIENT_PRIVILEGE && self.routine == "ExecWithCheckOptions"
    }

    /// Whether the row itself was at fault: a constraint, or a value that does not fit. Policies are asked
    /// before constraints are, so they had let it through.
    pub(super) fn is_constraint(&self) -> bool {
        self.code.code().starts_with("23")
    }

    /// Whether it says nothing of the wall: the server was busy, or did not wait.
    pub(super) fn is_no_answer(&self) -> bool {
        self.code == SqlState::LOCK_NOT_AVAILABLE
            || self.code == SqlState::QUERY_CANCELED
            || self.code.code().starts_with("40")
            || self.code.code().starts_with("53")
    }
}

/// The text of some errors holds values of rows: those say their code alone.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.code();
        match &self.constraint {
            Some(constraint) => write!(f, "constraint `{constraint}` ({code})"),
            None if self.code == SqlState::LOCK_NOT_AVAILABLE => {
                write!(f, "a lock was not to be had in time ({code})")
            }
            None if self.code == SqlState::QUERY_CANCELED => {
                write!(f, "it took too long and was cancelled ({code})")
            }
            None if self.code == SqlState::INSUFFICIENT_PRIVILEGE
                || self.code.code().starts_with("42")
                || self.code.code().starts_with("0A")
                || self.code.code().starts_with("25") =>
            {
                write!(f, "{} ({code})", self.message)
            }
            None => write!(f, "an error ({code})"),
        }
    }
}
