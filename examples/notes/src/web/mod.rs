//! HTTP: pages for people and JSON for programs, over the same rooms.

mod api;
mod fields;
mod log;
mod method;
mod pages;
mod path_id;

use axum::{
    Router,
    http::{HeaderName, HeaderValue},
    middleware,
};
use partywall::web::refuse_cross_site;
use tower_http::set_header::SetResponseHeaderLayer;

pub(crate) use partywall::web::Problem;

use crate::app::App;

const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    ),
    (
        HeaderName::from_static("x-frame-options"),
        HeaderValue::from_static("DENY"),
    ),
    (
        HeaderName::from_static("referrer-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cache-control"),
        HeaderValue::from_static("no-store"),
    ),
];

/// Everything that is answered.
pub(crate) fn router(app: App) -> Router {
    let router = Router::new()
        .merge(pages::router(&app))
        .nest("/api", api::router(&app))
        .layer(middleware::from_fn(refuse_cross_site))
        .with_state(app);
    // The router adds `Allow` outside of its own layers.
    let router = Router::new()
        .fallback_service(router)
        .layer(middleware::map_response(method::hide));
    HEADERS.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::if_not_present(name, value))
    })
}
