//! What all answers have in common: a request id, headers, limits.

use std::time::Duration;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, cors::CorsLayer};
use tracing::Instrument as _;
use uuid::Uuid;

use super::super::{Problem, refuse_cross_site};

/// Limits and headers of all answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answers {
    /// The longest body that an endpoint reads, in bytes. 1 MiB.
    pub body_limit: usize,
    /// How long an endpoint may take to begin its answer. 30 seconds.
    pub time_limit: Option<Duration>,
    /// Headers that an answer gets where its handler has not set them; `Vary` it gets in any case.
    pub headers: HeaderMap,
}

/// The id of a request, which is in its answer (`X-Request-Id`), in its problem, and in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub Uuid);

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What an answer has where nothing else is said: no cache shared between people keeps it, no other
/// site's page frames it, sends to it or reads it.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CACHE_CONTROL, "private, no-cache"),
    (header::VARY, "cookie, authorization"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

impl Default for Answers {
    fn default() -> Self {
        let headers = HEADERS
            .into_iter()
            .map(|(name, value)| (name, HeaderValue::from_static(value)));
        Self {
            body_limit: 1 << 20,
            time_limit: Some(Duration::from_secs(30)),
            headers: headers.collect(),
        }
    }
}

impl Answers {
    /// Sets a header, for answers that have none of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the longest body that an endpoint reads.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sets how long an endpoint may take to begin its answer.
    #[must_use]
    pub fn time_limit(mut self, limit: Option<Duration>) -> Self {
        self.time_limit = limit;
        self
    }
}

/// Puts around a router what all answers have in common. Outermost first: compression, the id and
/// the headers, CORS, the check for other sites, panics.
pub(super) fn around(router: Router, answers: Answers, cors: Option<CorsLayer>) -> Router {
    let router = router
        .fallback(async || Problem::not_found())
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("a handler panicked");
            Problem::internal().into_response()
        }))
        .layer(middleware::from_fn(refuse_cross_site));
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    let headers = answers.headers;
    router
        .layer(middleware::from_fn(move |request, next| {
            numbered(request, next, headers.clone())
        }))
        .layer(CompressionLayer::new())
}

/// Gives a request its id. One that it brings is not believed: it would be in our log.
async fn numbered(mut request: Request, next: Next, defaults: HeaderMap) -> Response {
    let id = Uuid::new_v4();
    request.extensions_mut().insert(RequestId(id));
    let span = tracing::info_span!("request", id = %id, method = %request.method());
    let mut response = next.run(request).instrument(span).await;
    if let Some(problem) = Problem::of(&response) {
        response = problem.answered_as(id, response);
    }
    let headers = response.headers_mut();
    for (name, value) in &defaults {
        if name == header::VARY {
            // What else an answer differs by does not take away from this.
            headers.append(name, value.clone());
        } else if !headers.contains_key(name) {
            headers.insert(name, value.clone());
        }
    }
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        headers.insert(X_REQUEST_ID, value);
    }
    response
}
