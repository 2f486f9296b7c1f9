use super::super::Error;
use crate::db;

/// Why a file was not read. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file itself cannot be read.
    #[error("the file cannot be read")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The first line does not say that this is a tenant's file.
    #[error("line 1: this is not the file of a tenant")]
    Header,
    /// The file is of a later version of the format.
    #[error("line 1: the file is of version {0} of the format, and this program knows version 1")]
    Version(u64),
    /// The file was written from other tables.
    #[error(
        "line 1: the file was written from other tables than there are here: read it with the version of the application that wrote it"
    )]
    Schema,
    /// A line is no row.
    #[error("line {0}: this is not a row of a table")]
    Malformed(u64),
    /// A line is longer than any row.
    #[error("line {0}: this line is too long")]
    TooLong(u64),
    /// A row of a table that does not travel.
    #[error("line {0}: there is no such table")]
    UnknownTable(u64),
    /// A row has other columns than its table.
    #[error("line {0}: the row has other columns than the table")]
    Columns(u64),
    /// PostgreSQL did not take a row.
    #[error("line {line}: the row cannot be written")]
    Refused {
        /// The line.
        line: u64,
        /// Why, where PostgreSQL said; otherwise the row hangs on one that is not there.
        source: Option<db::Error>,
    },
    /// Something follows the last line.
    #[error("line {0}: something follows the line that counts the rows")]
    Behind(u64),
    /// The last line is not there.
    #[error("the file was cut: its last line, which counts the rows, is not there")]
    Cut,
    /// Rows are missing, or there are too many.
    #[error("the file does not have as many rows of `{table}` as its last line says")]
    Count {
        /// The table.
        table: String,
    },
    /// The built-in roles are not as every tenant has them.
    #[error("the file does not have the built-in roles as every tenant has them")]
    Roles,
    /// The new tenant cannot be, or the database does not answer.
    #[error(transparent)]
    Tenant(#[from] Error),
}

/// The kinds of [`ImportError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImportErrorKind {
    /// The file cannot be read.
    Read,
    /// The file is not as it should be.
    File,
    /// The file is good, and not for this application as it is.
    Other,
    /// See the error inside.
    Tenant,
}

impl ImportError {
    pub(super) fn refused(line: u64, source: Option<db::Error>) -> Self {
        Self::Refused { line, source }
    }

    /// The kind, without the data.
    #[must_use]
    pub fn kind(&self) -> ImportErrorKind {
        match self {
            Self::Read(_) => ImportErrorKind::Read,
            Self::Version(_) | Self::Schema => ImportErrorKind::Other,
            Self::Tenant(_) => ImportErrorKind::Tenant,
            Self::Header
            | Self::Malformed(_)
            | Self::TooLong(_)
            | Self::UnknownTable(_)
            | Self::Columns(_)
            | Self::Refused { .. }
            | Self::Behind(_)
            | Self::Cut
            | Self::Count { .. }
            | Self::Roles => ImportErrorKind::File,
        }
    }

    /// The line that is at fault, where one is.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Header | Self::Version(_) | Self::Schema => Some(1),
            Self::Malformed(line)
            | Self::TooLong(line)
            | Self::UnknownTable(line)
            | Self::Columns(line)
            | Self::Refused { line, .. }
            | Self::Behind(line) => Some(*line),
            Self::Read(_) | Self::Cut | Self::Count { .. } | Self::Roles | Self::Tenant(_) => None,
        }
    }
}

impl From<db::Error> for ImportError {
    fn from(error: db::Error) -> Self {
        Self::Tenant(error.into())
    }
}
