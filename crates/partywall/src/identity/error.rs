use std::time::Duration;

use sea_orm::DbErr;

use crate::db;

/// Why something was not done. *Denied* is not *failed*: a broken database is [`Error::Database`],
/// never a missing permission.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody is signed in, or no longer.
    #[error("sign in first")]
    Anonymous,
    /// The address or the password is wrong; which one is not told.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// There is no such thing, or it is not the visitor's: the two are one.
    #[error("there is nothing here")]
    NotFound,
    /// The tenant is suspended. Only its members are told.
    #[error("this tenant is suspended")]
    Suspended,
    /// The account lacks a permission.
    #[error("the account lacks the permission `{0}`")]
    Forbidden(String),
    /// Somebody wanted to give, or to act on somebody who holds, what they do not hold.
    #[error("nobody grants what they do not hold: the permission `{0}` is missing")]
    GrantsMore(String),
    /// A tenant keeps an owner.
    #[error("a tenant needs an owner: make somebody else one first")]
    LastOwner,
    /// The path says one tenant and the rest of the request another.
    #[error("the request names two different tenants")]
    TwoTenants,
    /// A request carries a session and a key.
    #[error("the request carries a session and a key: send one of them")]
    TwoCredentials,
    /// The page was made for another account than the one that the request would act as.
    #[error("another account is current than the page was made for")]
    StaleAccount,
    /// A value is not as it should be.
    #[error("{field}: {message}")]
    Invalid {
        /// The name of the value.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A value is somebody else's already.
    #[error("{field}: this is taken")]
    Taken {
        /// The name of the value.
        field: &'static str,
    },
    /// A mailed link is unknown, expired, used or taken back; which of these is not told.
    #[error("this link is not good, or no longer: ask for a new one")]
    BadLink,
    /// A mailed link is for another address than the visitor's. Only who has the link is told.
    #[error("this invitation is for another e-mail address: sign in with that one")]
    OtherAddress,
    /// A mailed link is for somebody who has a password already.
    #[error("this e-mail address is registered: sign in first, then open the link again")]
    SignInFirst,
    /// All seats of the tenant are taken.
    #[error("all seats of this tenant are taken")]
    NoSeat,
    /// Not while acting as somebody else.
    #[error("this cannot be done while acting as somebody else")]
    Impersonating,
    /// Too many attempts.
    #[error("too many attempts: try again in {} s", .0.as_secs().max(1))]
    Throttled(Duration),
    /// The record that shows a host to be the tenant's is not there.
    #[error(
        "the record that proves this domain is not there: publish it, and try again when the DNS has it"
    )]
    Unproven,
    /// The DNS did not say whether the record is there.
    #[error("the DNS cannot be asked for this domain's record: try again")]
    Lookup(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database.
    #[error(transparent)]
    Database(db::Error),
    /// The database, through SeaORM.
    #[error(transparent)]
    Orm(DbErr),
    /// The machine has no randomness to give.
    #[error("the machine gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// A password could not be hashed.
    #[error("passwords cannot be hashed")]
    Password(#[from] argon2::password_hash::Error),
    /// A mail could not be written or sent.
    #[error("mail cannot be sent")]
    Mail(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The kinds of [`Error`], for matching without the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nobody is signed in, or the credentials are wrong.
    Anonymous,
    /// There is nothing, or nothing of the visitor's.
    NotFound,
    /// The visitor may see it and may not do it.
    Denied,
    /// What was asked for is at odds with how things are.
    Conflict,
    /// The request cannot be understood.
    BadRequest,
    /// A value is not as it should be.
    Invalid,
    /// Too many attempts.
    Throttled,
    /// Too much is going on, or the database or the DNS is away: trying again can help.
    Unavailable,
    /// Something broke.
    Failed,
}

impl Error {
    pub(super) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            message: message.into(),
        }
    }

    /// The kind, without the data.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Anonymous | Self::WrongCredentials | Self::SignInFirst => ErrorKind::Anonymous,
            Self::NotFound => ErrorKind::NotFound,
            Self::Suspended
            | Self::Forbidden(_)
            | Self::GrantsMore(_)
            | Self::OtherAddress
            | Self::Impersonating => ErrorKind::Denied,
            Self::LastOwner
            | Self::StaleAccount
            | Self::NoSeat
            | Self::Unproven
            | Self::Taken { .. } => ErrorKind::Conflict,
            Self::TwoTenants | Self::TwoCredentials => ErrorKind::BadRequest,
            Self::Invalid { .. } | Self::BadLink => ErrorKind::Invalid,
            Self::Throttled(_) => ErrorKind::Throttled,
            Self::Lookup(_) => ErrorKind::Unavailable,
            Self::Database(error) => of_database(error.kind()),
            Self::Orm(DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated) => ErrorKind::NotFound,
            Self::Orm(error) => of_database(db::Error::kind_behind(error)),
            Self::Random(_) | Self::Password(_) | Self::Mail(_) => ErrorKind::Failed,
        }
    }

    /// A short name that programs can rely on: `last_owner`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Anonymous => "unauthorized",
            Self::WrongCredentials => "wrong_credentials",
            Self::NotFound => "not_found",
            Self::Suspended => "suspended",
            Self::Forbidden(_) => "forbidden",
            Self::GrantsMore(_) => "grants_more",
            Self::LastOwner => "last_owner",
            Self::TwoTenants => "two_tenants",
            Self::TwoCredentials => "two_credentials",
            Self::StaleAccount => "stale_account",
            Self::Invalid { .. } => "invalid",
            Self::Taken { .. } => "taken",
            Self::BadLink => "bad_link",
            Self::OtherAddress => "other_address",
            Self::SignInFirst => "sign_in_first",
            Self::NoSeat => "no_seat",
            Self::Impersonating => "impersonating",
            Self::Throttled(_) => "throttled",
            Self::Unproven => "unproven",
            Self::Lookup(_) => "lookup_failed",
            Self::Database(_) | Self::Orm(_) => match self.kind() {
                ErrorKind::NotFound => "not_found",
                ErrorKind::Unavailable => "busy",
                ErrorKind::Conflict => "conflict",
                ErrorKind::Anonymous
                | ErrorKind::Denied
                | ErrorKind::BadRequest
                | ErrorKind::Invalid
                | ErrorKind::Throttled
                | ErrorKind::Failed => "internal",
            },
            Self::Random(_) | Self::Password(_) | Self::Mail(_) => "internal",
        }
    }
}

/// An account that is gone when a statement of its request comes is [`Error::NotFound`], as it will be
/// for the next request.
impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        if error.kind() == db::ErrorKind::Gone {
            Self::NotFound
        } else {
            Self::Database(error)
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if db::Error::kind_behind(&error) == db::ErrorKind::Gone {
            Self::NotFound
        } else {
            Self::Orm(error)
        }
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
        // What was referred to went away in between, or was never in this scope; or whoever asks did.
        db::ErrorKind::ForeignKey | db::ErrorKind::Gone => ErrorKind::NotFound,
        db::ErrorKind::Unique => ErrorKind::Conflict,
        _ => ErrorKind::Failed,
    }
}
