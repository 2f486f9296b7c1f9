use std::borrow::Cow;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{
    db,
    identity::{self, ErrorKind},
};

/// What a request is answered that was not done, in the form of RFC 9457 (`application/problem+json`).
///
/// The one place where errors become answers: the outside text never carries the inside one, which
/// goes to the log. The answer's extensions hold the problem as well, for a layer that makes a page
/// of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    field: Option<&'static str>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of the application's own. `code` is for programs and `detail` for people.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            field: None,
            retry_after: None,
        }
    }

    /// 404. A foreign thing, a malformed id and a missing thing are one answer.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }

    /// 405.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "method_not_allowed", "this cannot be done here")
    }

    /// 422 for a value that is not as it should be.
    #[must_use]
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    /// 403 for what another site's page made a browser send.
    #[must_use]
    pub fn cross_site() -> Self {
        let detail = "the request comes from another site";
        Self::new(StatusCode::FORBIDDEN, "cross_site", detail)
    }

    /// 429 for somebody who has as many streams open as they may.
    #[must_use]
    pub(super) fn too_many_streams() -> Self {
        let detail = "too many streams are open: close one first";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail)
    }

    /// 503.
    #[must_use]
    pub fn busy() -> Self {
        let detail = "too much is going on, try again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    }

    /// 500.
    #[must_use]
    pub fn internal() -> Self {
        let detail = "something went wrong on our side";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code, for programs.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The text, for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The value that is not as it should be.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }
}

impl From<identity::Error> for Problem {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other errors say what is to be told, and no more"
    )]
    fn from(error: identity::Error) -> Self {
        let kind = error.kind();
        let status = match kind {
            ErrorKind::Anonymous => StatusCode::UNAUTHORIZED,
            ErrorKind::NotFound => return Self::not_found(),
            ErrorKind::Denied => StatusCode::FORBIDDEN,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
            ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Throttled => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Unavailable => {
                tracing::warn!(error = %error, "a request was put off");
                return Self::busy();
            }
            ErrorKind::Failed => {
                tracing::error!(error = %error, "a request failed");
                return Self::internal();
            }
        };
        let detail = match &error {
            // What the database says of a conflict is not for strangers.
            identity::Error::Database(_) | identity::Error::Orm(_) => {
                "this is at odds with what is there already".to_owned()
            }
            identity::Error::Invalid { message, .. } => message.clone(),
            _ => error.to_string(),
        };
        let mut problem = Self::new(status, error.code(), detail);
        match error {
            identity::Error::Invalid { field, .. } | identity::Error::Taken { field } => {
                problem.field = Some(field);
            }
            identity::Error::Throttled(wait) => problem.retry_after = Some(wait.as_secs().max(1)),
            _ => {}
        }
        problem
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        identity::Error::from(error).into()
    }
}

impl From<sea_orm::DbErr> for Problem {
    fn from(error: sea_orm::DbErr) -> Self {
        identity::Error::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let (Some(field), Some(body)) = (self.field, body.as_object_mut()) {
            body.insert("field".to_owned(), field.into());
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}
