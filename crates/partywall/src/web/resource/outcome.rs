use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::etag::Etag;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What came of a write: the answer, once the transaction is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "commit the transaction, then answer with it"]
pub struct Outcome {
    pub(super) status: StatusCode,
    pub(super) location: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) body: Vec<u8>,
    pub(super) is_replayed: bool,
}

impl Outcome {
    pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Self {
        Self {
            status,
            location: None,
            etag: None,
            body,
            is_replayed: false,
        }
    }

    pub(super) fn empty() -> Self {
        Self::json(StatusCode::NO_CONTENT, Vec::new())
    }

    pub(super) fn with_etag(mut self, etag: &Etag) -> Self {
        self.etag = etag.header().to_str().ok().map(str::to_owned);
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the answer to an earlier request with the same idempotency key is given again: nothing
    /// was done.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.is_replayed
    }
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        let has_body = !self.body.is_empty();
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if has_body {
            let json = HeaderValue::from_static("application/json");
            headers.insert(header::CONTENT_TYPE, json);
        }
        for (name, text) in [(header::LOCATION, self.location), (header::ETAG, self.etag)] {
            if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
                headers.insert(name, value);
            }
        }
        if self.is_replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
