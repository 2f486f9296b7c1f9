use std::borrow::Cow;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use partywall::db::{Error, ErrorKind};
use sea_orm::DbErr;
use serde_json::json;

/// Why a request was not done, as the visitor is told. The one place where errors become answers.
///
/// The outside text never carries the inside one: that goes to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Nobody is signed in.
    Anonymous,
    /// The address or the password is wrong; which one is not told.
    WrongPassword,
    /// There is no such thing, or it is not the visitor's: the answer is the same.
    NotFound,
    /// There is such a thing, and not this method.
    Method,
    /// The request came from another site's page.
    CrossSite,
    /// What was sent is not as it should be.
    Invalid(Cow<'static, str>),
    /// A visitor's own statement failed.
    Statement(String, String),
    /// Too much is going on.
    Busy,
    /// Something broke.
    Internal,
}

impl Problem {
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(message.into())
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Anonymous | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::Invalid(_) | Self::Statement(..) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Anonymous => "unauthorized",
            Self::WrongPassword => "wrong_credentials",
            Self::NotFound => "not_found",
            Self::Method => "method_not_allowed",
            Self::CrossSite => "cross_site",
            Self::Invalid(_) => "invalid",
            Self::Statement(code, _) => code,
            Self::Busy => "busy",
            Self::Internal => "internal",
        }
    }

    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Anonymous => "sign in first",
            Self::WrongPassword => "the e-mail address or the password is wrong",
            Self::NotFound => "there is nothing here",
            Self::Method => "this cannot be done here",
            Self::CrossSite => "the request comes from another site",
            Self::Invalid(message) => message,
            Self::Statement(_, message) => message,
            Self::Busy => "too much is going on, try again in a moment",
            Self::Internal => "something went wrong on our side",
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other kinds are our own mistakes"
    )]
    fn of_kind(kind: ErrorKind, error: &dyn std::error::Error) -> Self {
        match kind {
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Conflict => {
                tracing::warn!(error = %error, "a request was put off");
                Self::Busy
            }
            // The row that was referred to went away in between, or was never in this scope.
            ErrorKind::ForeignKey => Self::NotFound,
            _ => {
                tracing::error!(error = %error, ?kind, "a request failed");
                Self::Internal
            }
        }
    }
}

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        if matches!(error, DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated) {
            return Self::NotFound;
        }
        Self::of_kind(Error::kind_behind(&error), &error)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::of_kind(error.kind(), &error)
    }
}

impl IntoResponse for Problem {
    /// JSON; the pages put a page in its place.
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code(), "message": self.message() } });
        let mut response = (self.status(), Json(body)).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
