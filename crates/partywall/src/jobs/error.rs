use crate::{db, identity, scope::ScopeError};

/// Why a job was not enqueued, ended or listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The transaction is in no tenant's scope.
    #[error(
        "a job needs a tenant: enqueue it in a transaction of a tenant's scope, or declare it a `GlobalJob`"
    )]
    NoTenant,
    /// The transaction's scope holds a list.
    #[error("a job runs for one owner: enqueue it in a scope that holds no list (`{0}`)")]
    List(&'static str),
    /// The transaction is another tenant's than whoever enqueues.
    #[error("the transaction is in another tenant than the one that enqueues the job")]
    OtherTenant,
    /// The kind is empty, too long, or taken twice.
    #[error(
        "`{0}` is no kind of job, or a worker has it twice: name each kind once, in 1 to 100 characters"
    )]
    Kind(String),
    /// The fields are too many to be written down for later.
    #[error(
        "the job's fields take {0} bytes: keep what is large in a table, and its id in the job"
    )]
    TooLarge(usize),
    /// The fields cannot be written as JSON.
    #[error("the job's fields cannot be written as JSON")]
    Payload(#[source] serde_json::Error),
    /// What is written in the queue of a job is not what was ever written there by this room.
    #[error("the job's `{0}` cannot be read")]
    Broken(&'static str),
    /// The job is no longer this worker's: it was cancelled, or its lease ran out.
    #[error("the job is no longer this worker's: it was cancelled, or took longer than its lease")]
    Lost,
    /// There is no such job in this tenant, or none in that state.
    #[error("there is no such job here, or it is not in a state for that")]
    NotFound,
    /// Who asks may not, or is nobody here.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// The scope.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The database.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// The database, through SeaORM.
    #[error(transparent)]
    Orm(#[from] sea_orm::DbErr),
}

/// The kinds of [`Error`], for matching without the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The scope is none that a job can run in.
    Scope,
    /// The job itself is not as it should be.
    Invalid,
    /// The job is another worker's, or nobody's.
    Lost,
    /// There is nothing, or nothing of this tenant's.
    NotFound,
    /// Who asks may not.
    Denied,
    /// What was asked for is at odds with how things are.
    Conflict,
    /// The database is away or busy: trying again can help.
    Unavailable,
    /// Any other failure.
    Failed,
}

impl Error {
    /// The kind, without the data.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoTenant | Self::List(_) | Self::OtherTenant | Self::Scope(_) => ErrorKind::Scope,
            Self::Kind(_) | Self::TooLarge(_) | Self::Payload(_) | Self::Broken(_) => {
                ErrorKind::Invalid
            }
            Self::Lost => ErrorKind::Lost,
            Self::NotFound => ErrorKind::NotFound,
            Self::Identity(error) => of_identity(error.kind()),
            Self::Database(error) => of_database(error.kind()),
            Self::Orm(error) => of_database(db::Error::kind_behind(error)),
        }
    }
}

fn of_identity(kind: identity::ErrorKind) -> ErrorKind {
    match kind {
        identity::ErrorKind::Anonymous | identity::ErrorKind::Denied => ErrorKind::Denied,
        identity::ErrorKind::NotFound => ErrorKind::NotFound,
        identity::ErrorKind::Conflict => ErrorKind::Conflict,
        identity::ErrorKind::BadRequest | identity::ErrorKind::Invalid => ErrorKind::Invalid,
        identity::ErrorKind::Throttled | identity::ErrorKind::Unavailable => ErrorKind::Unavailable,
        identity::ErrorKind::Failed => ErrorKind::Failed,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other kinds are our own mistakes"
)]
fn of_database(kind: db::ErrorKind) -> ErrorKind {
    match kind {
        db::ErrorKind::Unavailable | db::ErrorKind::Timeout | db::ErrorKind::Conflict => {
            ErrorKind::Unavailable
        }
        db::ErrorKind::Unique => ErrorKind::Conflict,
        db::ErrorKind::Invalid => ErrorKind::Invalid,
        _ => ErrorKind::Failed,
    }
}
