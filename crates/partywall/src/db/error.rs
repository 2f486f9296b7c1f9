use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr};
use tokio_postgres::error::SqlState;

use crate::{
    schema::{GONE, INVALID_CONTEXT, NO_DIMENSION},
    scope::ScopeError,
    value::ValueError,
};

/// What can go wrong when a statement runs.
///
/// *Denied* is not *failed*: a broken database never reads as a denial, and a denial never as an
/// empty list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The scope lacks a dimension, or a nested one would widen it.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// PostgreSQL refused: a right that the login does not have, or a row outside the scope.
    #[error("denied: {0}")]
    Denied(DatabaseError),
    /// The context that the statement came with was not accepted: it was sealed by a key that the
    /// database does not know, altered, or more than a minute old when its transaction began.
    /// PostgreSQL does not tell which, to anybody.
    #[error(
        "the database does not accept the scope's context: apply the schema with the seal key that is in use here, and synchronise the clocks: {0}"
    )]
    Context(DatabaseError),
    /// The account that the transaction acts for was removed or deactivated meanwhile: see
    /// `RequestAccount::write`. Nothing of the transaction is kept.
    #[error("{0}")]
    Gone(DatabaseError),
    /// PostgreSQL reported any other error.
    #[error("{0}")]
    Database(DatabaseError),
    /// A parameter or a column that cannot be converted.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// SeaORM could not read the row into the type asked for, or the row is not there.
    #[error(transparent)]
    Row(DbErr),
    /// The statement may not be sent this way.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No login is configured for this kind of work.
    #[error(transparent)]
    NoLogin(#[from] NoLogin),
    /// All connections stayed in use for the whole of the time allowed.
    #[error(
        "no connection was free within {0:?}: raise the pool size, or look for transactions that stay open"
    )]
    PoolExhausted(Duration),
    /// No connection could be opened.
    #[error("cannot connect to the database")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// TLS was asked for and is not to be had: the server has none, or its certificate is not one
    /// that a trusted root vouches for, or not one for the host that was asked for.
    #[error(
        "the database cannot be reached over TLS: the server has none, or its certificate is not for this host or not by a root that `Config::tls` trusts"
    )]
    Tls(#[source] tokio_postgres::Error),
    /// The connection was lost. Whether the statement took effect is unknown.
    #[error(
        "the connection to the database was lost; whether the statement took effect is unknown"
    )]
    Lost(#[source] tokio_postgres::Error),
    /// The statement ran out of time and was stopped; it had no effect.
    #[error("the statement took longer than it may and was stopped")]
    Timeout,
    /// The server did not answer within the statement's time limit and a margin.
    #[error("the server did not answer in time; whether the statement took effect is unknown")]
    Unanswered,
    /// An earlier statement of the transaction failed: no other runs in it, and committing it rolls
    /// it back.
    #[error("a statement of the transaction failed before, so all of it is rolled back")]
    Aborted,
    /// Nobody is told of the changes of this table.
    #[error(
        "the changes of `{0}` are not announced: add `SchemaBuilder::announces` for it and apply the schema"
    )]
    NotAnnounced(&'static str),
    /// A row stream is open on the transaction.
    #[error("a stream is open on this transaction: read it to its end or drop it first")]
    Streaming,
}

/// The kinds of [`Error`], for matching without the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The scope does not reach.
    Scope,
    /// PostgreSQL refused.
    Denied,
    /// The database does not accept the context that scopes are sent with.
    Context,
    /// The account that the transaction acts for is no more.
    Gone,
    /// A unique or exclusion constraint of this scope.
    Unique,
    /// A foreign key: the row referred to does not exist in this scope.
    ForeignKey,
    /// A NOT NULL or CHECK constraint, or a value outside its type.
    Invalid,
    /// Another transaction got in the way; trying again may help.
    Conflict,
    /// Any other error that PostgreSQL reported.
    Database,
    /// A value that cannot be converted.
    Value,
    /// A statement that may not be sent this way.
    Refused,
    /// No connection, or none in time.
    Unavailable,
    /// The statement was stopped.
    Timeout,
    /// The transaction had failed before.
    Aborted,
}

/// An error that PostgreSQL reported.
///
/// The display text is PostgreSQL's primary message. Its DETAIL, which may quote values, is left
/// to the log.
#[derive(Debug, thiserror::Error)]
#[error("{message}{} (SQLSTATE {code})", fix(code))]
pub struct DatabaseError {
    code: String,
    message: String,
    constraint: Option<String>,
    column: Option<String>,
    #[source]
    source: tokio_postgres::Error,
}

impl DatabaseError {
    /// The five characters of the SQLSTATE.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// PostgreSQL's primary message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The constraint that was violated, if one was.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    /// The column that may not be NULL and was, if one was.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }
}

/// What to do about an error that the wall causes and PostgreSQL cannot explain.
fn fix(code: &str) -> &'static str {
    if code == SqlState::INVALID_COLUMN_REFERENCE.code() {
        ": the keys of an owned table begin with its owner's column, so name that column as well, or none"
    } else {
        ""
    }
}

/// A statement that may not be sent as raw SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// BEGIN, COMMIT, SAVEPOINT and the like: they would end the transaction that holds the scope.
    #[error("a statement may not control the transaction: use `begin`, `commit` and `rollback`")]
    TransactionControl,
    /// ALTER, DO and LOCK. A locked table is locked for all tenants. Every PostgreSQL role may change its own password and defaults, and no grant
    /// takes that away; a DO block can hide such a statement in a text, or catch its cancellation.
    #[error(
        "ALTER, DO and LOCK are not for the application's logins: run them as the owner, in a migration"
    )]
    Administration,
    /// PREPARE, EXECUTE, DEALLOCATE, LISTEN and cursors WITH HOLD. What they make outlives the scope, and
    /// is of no use from here: the driver prepares statements by itself, nothing hands out notifications,
    /// and the next statement may get another session.
    #[error(
        "a statement may not leave prepared statements, listeners or held cursors on the session: it is the next tenant's as well"
    )]
    Session,
    /// COPY needs a protocol of its own.
    #[error(
        "COPY cannot run as a statement: use `Tx::copy_out` to read, and INSERT to write, since row-level security refuses COPY FROM"
    )]
    Copy,
    /// Nothing to run.
    #[error("the statement is empty")]
    Empty,
    /// The outer transaction was used while a nested one is open.
    #[error("a nested transaction is open: use it, or end it first")]
    Nested,
    /// A second statement was given to what takes the last one of a transaction.
    #[error("the transaction has ended with its last statement: begin another")]
    Ended,
    /// The last statement of a nested transaction was to carry COMMIT.
    #[error(
        "a nested transaction ends without COMMIT: run the statement in it, and then `commit` it"
    )]
    Savepoint,
    /// A transaction of single owners was to be narrowed to a list.
    #[error(
        "a transaction of single owners cannot be narrowed to a list, since lists need the list login: begin it in a scope with a list"
    )]
    List,
    /// The way across was to be narrowed.
    #[error(
        "the way across cannot be narrowed, since no policy applies to its login: begin a transaction in the scope instead"
    )]
    Across,
    /// The way across was taken without saying why.
    #[error("the way across needs a reason")]
    Reason,
    /// More or fewer values than the statement has parameters.
    #[error("the statement has {wanted} parameters and {given} values were given")]
    Parameters {
        /// The values given.
        given: usize,
        /// The parameters that the statement has.
        wanted: usize,
    },
}

/// A login that the configuration does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoLogin {
    /// A scope with a list runs under the list login.
    #[error(
        "the scope holds a list, and no list login is configured: add one with `Config::list_login`"
    )]
    List,
    /// The way across runs under its own login.
    #[error("no login for the way across is configured: add one with `Config::across_login`")]
    Across,
    /// Changes of every tenant are heard under a login that is nobody's.
    #[error(
        "no login that may listen for changes is configured: add `Config::identity_login`, or `Config::across_login` where the schema has no accounts"
    )]
    Listen,
    /// Users, accounts and sessions are the business of a login of their own.
    #[error("no login for users and accounts is configured: add one with `Config::identity_login`")]
    Identity,
}

impl Error {
    /// The kind, without the data.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Scope(_) => ErrorKind::Scope,
            Self::Denied(_) => ErrorKind::Denied,
            Self::Context(_) => ErrorKind::Context,
            Self::Gone(_) => ErrorKind::Gone,
            Self::Database(error) => kind_of_state(error.code()),
            Self::Value(_) | Self::Row(_) => ErrorKind::Value,
            Self::Refused(_) | Self::NoLogin(_) | Self::NotAnnounced(_) | Self::Streaming => {
                ErrorKind::Refused
            }
            Self::PoolExhausted(_) | Self::Connect(_) | Self::Tls(_) | Self::Lost(_) => {
                ErrorKind::Unavailable
            }
            Self::Timeout | Self::Unanswered => ErrorKind::Timeout,
            Self::Aborted => ErrorKind::Aborted,
        }
    }

    /// Whether a transaction is lost when a statement in it ends so.
    pub(super) fn aborts(&self) -> bool {
        matches!(
            self,
            Self::Scope(_)
                | Self::Denied(_)
                | Self::Context(_)
                | Self::Gone(_)
                | Self::Database(_)
                | Self::Lost(_)
                | Self::Timeout
                | Self::Unanswered
        )
    }

    /// What PostgreSQL reported, if it did.
    #[must_use]
    pub fn database(&self) -> Option<&DatabaseError> {
        match self {
            Self::Denied(error)
            | Self::Context(error)
            | Self::Gone(error)
            | Self::Database(error) => Some(error),
            Self::Scope(_)
            | Self::Value(_)
            | Self::Row(_)
            | Self::Refused(_)
            | Self::NoLogin(_)
            | Self::PoolExhausted(_)
            | Self::Connect(_)
            | Self::Tls(_)
            | Self::Lost(_)
            | Self::Timeout
            | Self::Unanswered
            | Self::Aborted
            | Self::NotAnnounced(_)
            | Self::Streaming => None,
        }
    }

    /// The kind behind an error that came back through SeaORM, whose error type cannot carry ours:
    /// it is read from the SQLSTATE that the text ends in.
    #[must_use]
    pub fn kind_behind(error: &DbErr) -> ErrorKind {
        if let DbErr::Conn(_) | DbErr::ConnectionAcquire(_) = error {
            return ErrorKind::Unavailable;
        }
        if let DbErr::Custom(text) = error {
            return match text.split_once(": ").map_or("", |(kind, _)| kind) {
                "scope" => ErrorKind::Scope,
                "refused" => ErrorKind::Refused,
                "timeout" => ErrorKind::Timeout,
                "aborted" => ErrorKind::Aborted,
                "value" => ErrorKind::Value,
                _ => ErrorKind::Database,
            };
        }
        let (DbErr::Exec(RuntimeErr::Internal(text)) | DbErr::Query(RuntimeErr::Internal(text))) =
            error
        else {
            return ErrorKind::Value;
        };
        match text
            .rsplit_once("(SQLSTATE ")
            .and_then(|(_, rest)| rest.strip_suffix(')'))
        {
            Some(code) if code == SqlState::INSUFFICIENT_PRIVILEGE.code() => ErrorKind::Denied,
            Some(code) => kind_of_state(code),
            None => ErrorKind::Database,
        }
    }
}

fn kind_of_state(code: &str) -> ErrorKind {
    match code {
        "23505" | "23P01" => ErrorKind::Unique,
        "23503" => ErrorKind::ForeignKey,
        INVALID_CONTEXT => ErrorKind::Context,
        GONE => ErrorKind::Gone,
        "40001" | "40P01" | "55P03" => ErrorKind::Conflict,
        _ if code.starts_with("23") || code.starts_with("22") => ErrorKind::Invalid,
        _ => ErrorKind::Database,
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(reported) = error.as_db_error() else {
            return Self::Lost(error);
        };
        match reported.code() {
            code if code.code() == NO_DIMENSION => {
                Self::Scope(ScopeError::missing(reported.hint().unwrap_or_default()))
            }
            code if *code == SqlState::QUERY_CANCELED => Self::Timeout,
            code if *code == SqlState::ADMIN_SHUTDOWN || *code == SqlState::CRASH_SHUTDOWN => {
                Self::Lost(error)
            }
            code => {
                let denied = *code == SqlState::INSUFFICIENT_PRIVILEGE;
                let invalid = code.code() == INVALID_CONTEXT;
                let gone = code.code() == GONE;
                let described = DatabaseError {
                    code: code.code().to_owned(),
                    message: reported.message().to_owned(),
                    constraint: reported.constraint().map(str::to_owned),
                    column: reported.column().map(str::to_owned),
                    source: error,
                };
                if denied {
                    Self::Denied(described)
                } else if invalid {
                    Self::Context(described)
                } else if gone {
                    Self::Gone(described)
                } else {
                    Self::Database(described)
                }
            }
        }
    }
}

impl From<Error> for DbErr {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Row(error) => error,
            Error::Denied(_) | Error::Context(_) | Error::Gone(_) | Error::Database(_) => {
                Self::Query(RuntimeErr::Internal(text))
            }
            Error::PoolExhausted(_) | Error::Connect(_) | Error::Tls(_) | Error::Lost(_) => {
                Self::Conn(RuntimeErr::Internal(text))
            }
            Error::Scope(_) => Self::Custom(format!("scope: {text}")),
            Error::Value(_) => Self::Custom(format!("value: {text}")),
            Error::Timeout | Error::Unanswered => Self::Custom(format!("timeout: {text}")),
            Error::Aborted => Self::Custom(format!("aborted: {text}")),
            Error::Refused(_) | Error::NoLogin(_) | Error::NotAnnounced(_) | Error::Streaming => {
                Self::Custom(format!("refused: {text}"))
            }
        }
    }
}
