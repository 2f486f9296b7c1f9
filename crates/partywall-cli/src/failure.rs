use std::{io, path::PathBuf};

use partywall_audit::{ApplyError, AuditError, MapError};

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Failure {
    /// The program itself could not begin.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// What was asked for makes no sense, and what would.
    #[error("{what}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// What to do about it; empty where the first says it.
        mend: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} `{}`", path.display())]
    File {
        /// `read`, `write`.
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `partywall.toml` is wrong.
    #[error("`{}` is not a valid configuration", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Where it is wrong.
        source: MapError,
    },
    /// The server is not to be reached, or refuses the login.
    #[error("cannot connect to {place}")]
    Connect {
        /// Host, database and user; never a password.
        place: String,
        /// What the driver says.
        source: tokio_postgres::Error,
        /// What to do about it.
        mend: String,
    },
    /// TLS could not be set up.
    #[error("cannot set up TLS for {place}")]
    Tls {
        /// Host, database and user.
        place: String,
        /// Why.
        source: partywall_connect::TlsError,
    },
    /// PostgreSQL refused a statement.
    #[error("cannot {doing}")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// What it says.
        source: tokio_postgres::Error,
    },
    /// The audit could not be made.
    #[error("{0}")]
    Audit(#[source] AuditError),
    /// A plan was not carried out to its end.
    #[error("{0}")]
    Apply(#[source] ApplyError),
    /// It could be tried, and did not work, for a reason that is not the arguments'.
    #[error("{what}")]
    Refused {
        /// What is wrong.
        what: String,
        /// What to do about it.
        mend: String,
    },
    /// Another program could not be started.
    #[error("cannot run `{program}`")]
    Program {
        /// Its name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Standard output could not be written, for another reason than that nobody reads it.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
    /// A document could not be made.
    #[error("cannot write the JSON document")]
    Json(#[from] serde_json::Error),
    /// The page could not be made.
    #[error("cannot write the page")]
    Page(#[from] askama::Error),
    /// The user said stop.
    #[error("stopped; what was not committed is rolled back")]
    Interrupted,
}

impl Failure {
    /// Wrong arguments or configuration.
    pub(crate) fn invalid(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Invalid {
            what: what.into(),
            mend: mend.into(),
        }
    }

    /// It cannot be done as things are.
    pub(crate) fn refused(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Refused {
            what: what.into(),
            mend: mend.into(),
        }
    }

    /// For `map_err`: says what was being done.
    pub(crate) fn sql(doing: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Sql { doing, source }
    }

    /// The program's exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Invalid { .. }
            | Self::Config { .. }
            | Self::Audit(AuditError::Unknown { .. } | AuditError::Map { .. }) => 3,
            Self::Interrupted => 130,
            Self::Start(_)
            | Self::File { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Sql { .. }
            | Self::Audit(_)
            | Self::Apply(_)
            | Self::Refused { .. }
            | Self::Program { .. }
            | Self::Output(_)
            | Self::Json(_)
            | Self::Page(_) => 1,
        }
    }

    /// What to do about it, if it is not said yet.
    pub(crate) fn mend(&self) -> Option<String> {
        let text = match self {
            Self::Invalid { mend, .. } | Self::Refused { mend, .. } | Self::Connect { mend, .. } => mend.clone(),
            Self::Audit(AuditError::Sql { source, .. }) | Self::Sql { source, .. } => match source.as_db_error() {
                Some(error) if error.code().code() == "42501" => {
                    "ask with a login that may read the catalogues and become the application's role: a superuser, or the tables' owner".to_owned()
                }
                Some(error) => error.hint().unwrap_or_default().to_owned(),
                None => String::new(),
            },
            Self::Apply(ApplyError::Step { source, .. }) => source
                .as_db_error()
                .and_then(|error| error.hint())
                .unwrap_or_default()
                .to_owned(),
            Self::Apply(ApplyError::Surprise(_)) => {
                "see what changed, then `partywall plan` and `partywall apply` again".to_owned()
            }
            Self::Audit(AuditError::Unknown { kind: "role", hint, .. }) if !hint.contains("--app-role") => {
                "if partywall.toml names it, `partywall apply` makes it; or correct the file".to_owned()
            }
            Self::Program { program, source } if source.kind() == io::ErrorKind::NotFound => {
                format!("install `{program}`, or give its path")
            }
            Self::Start(_)
            | Self::File { .. }
            | Self::Config { .. }
            | Self::Tls { .. }
            | Self::Audit(_)
            | Self::Apply(_)
            | Self::Program { .. }
            | Self::Output(_)
            | Self::Json(_)
            | Self::Page(_)
            | Self::Interrupted => String::new(),
        };
        (!text.is_empty()).then_some(text)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(source: tokio_postgres::Error) -> Self {
        Self::Sql {
            doing: "ask the database",
            source,
        }
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        Self::Audit(error)
    }
}

/// What a driver's error comes down to, in one line. The driver says `db error` and leaves the rest to its source.
pub(crate) fn said(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", db.message(), db.code().code());
    }
    let mut said = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        said = cause.to_string();
        source = cause.source();
    }
    said
}
