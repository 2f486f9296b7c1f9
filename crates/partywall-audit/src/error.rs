/// Why an audit could not be made. What it *finds* is no error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// PostgreSQL refused a statement, or the connection broke.
    #[error("the database refused `{doing}`")]
    Sql {
        /// What was being done: a few words.
        doing: &'static str,
        /// What PostgreSQL said.
        source: tokio_postgres::Error,
    },
    /// The server is older or newer than what the catalogues are known of.
    #[error("PostgreSQL {0} is not supported: 13 to 18 are")]
    Version(String),
    /// An option names something that the database does not have.
    #[error("the database has no {kind} `{name}`: {hint}")]
    Unknown {
        /// What kind of thing: `role`, `table`, `column`.
        kind: &'static str,
        /// Its name, as given.
        name: String,
        /// What to do about it.
        hint: String,
    },
    /// A connection is inside a transaction that somebody else began.
    #[error("the connection of the {0} is inside a transaction: end it first")]
    Busy(&'static str),
    /// An entry of the map contradicts the database or another entry.
    #[error("the map's `{entry}`: {why}")]
    Map {
        /// Which: `tenant.table`, `tables."public.lines"`.
        entry: String,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// The catalogues hold something that is not understood.
    #[error("cannot read {what} of the catalogues: {why}")]
    Catalogue {
        /// Which part.
        what: String,
        /// What is odd about it.
        why: String,
    },
}

impl AuditError {
    /// An entry of the map is wrong.
    pub(crate) fn map(entry: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Map {
            entry: entry.into(),
            why: why.into(),
        }
    }

    /// For `map_err`: says what was being done.
    pub(crate) fn doing(doing: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Sql { doing, source }
    }
}
