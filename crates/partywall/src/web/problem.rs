use std::borrow::Cow;

use axum::{
    Json,
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::FieldError;
use crate::{
    db,
    identity::{self, ErrorKind},
};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

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
    errors: Vec<FieldError>,
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
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// 422 for values that are not as they should be, all of them at once.
    #[must_use]
    pub fn invalid_fields(errors: impl IntoIterator<Item = FieldError>) -> Self {
        let detail = "some values are not as they should be";
        Self::invalid(detail).with_errors(errors)
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

    /// 403 for what the account may not do. Which rule says so is in the log.
    #[must_use]
    pub fn forbidden() -> Self {
        let detail = "the account may not do this";
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 503 for what took longer than it may.
    #[must_use]
    pub fn late() -> Self {
        let detail = "this took too long, try again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "late", detail)
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

    /// Says of each value what is wrong with it: `errors` of the answer's body.
    #[must_use]
    pub fn with_errors(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.errors.extend(errors);
        self
    }

    /// Says after how many seconds trying again can help: the header `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
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

    /// The values that are not as they should be.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }
}

impl From<garde::Report> for Problem {
    fn from(report: garde::Report) -> Self {
        Self::invalid_fields(FieldError::of_report(&report))
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

#[cfg(feature = "jobs")]
impl From<crate::jobs::Error> for Problem {
    fn from(error: crate::jobs::Error) -> Self {
        use crate::jobs::Error;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all other errors are the application's mistakes, or a worker's business"
        )]
        match error {
            Error::Identity(error) => error.into(),
            Error::Database(error) => error.into(),
            Error::Orm(error) => error.into(),
            Error::NotFound => Self::not_found(),
            error => {
                tracing::error!(error = %error, "a job was not enqueued");
                Self::internal()
            }
        }
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

impl Problem {
    fn body(&self, request: Option<Uuid>) -> Value {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(body) = body.as_object_mut() {
            let first = self.errors.first().map(FieldError::field);
            if let Some(field) = self.field.or(first) {
                body.insert("field".to_owned(), field.into());
            }
            if !self.errors.is_empty() {
                let errors = self.errors.iter().map(FieldError::to_json).collect();
                body.insert("errors".to_owned(), Value::Array(errors));
            }
            if let Some(id) = request {
                body.insert("request_id".to_owned(), id.to_string().into());
            }
        }
        body
    }

    /// The problem that an answer tells. The texts that axum's own extractors refuse with name types and
    /// places inside of ours: such an answer becomes a problem that tells its status alone.
    pub(super) fn of(response: &Response) -> Option<Self> {
        if let Some(problem) = response.extensions().get::<Self>() {
            return Some(problem.clone());
        }
        let status = response.status();
        let kind = response.headers().get(header::CONTENT_TYPE);
        let is_text = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
        let is_refusal = status.is_client_error() || status.is_server_error();
        (is_text && is_refusal).then(|| match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "too_large", "the body is too long"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Self::new(status, "media_type", "a body of this type is not read here")
            }
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                Self::new(status, "unreadable", "the request cannot be read")
            }
            StatusCode::NOT_FOUND => Self::not_found(),
            status if status.is_server_error() => Self::internal(),
            status => Self::new(status, "refused", "the request was refused"),
        })
    }

    /// The answer that this problem has become, with the id of its request.
    pub(super) fn answered_as(&self, id: Uuid, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        *response.body_mut() = Body::from(self.body(Some(id)).to_string());
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body(None))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}
