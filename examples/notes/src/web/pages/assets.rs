//! What pages are made of besides HTML. Their addresses change with them, so browsers may keep them.

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};

use crate::app::App;

const STYLE: &str = include_str!("../../../assets/style.css");
const SCRIPT: &str = include_str!("../../../assets/pages.js");
const HTMX: &str = include_str!("../../../assets/htmx-2.0.11.min.js");
const ICON: &str = include_str!("../../../assets/icon.svg");

/// Goes into the addresses of all of them.
pub(super) const VERSION: u32 = version(&[STYLE, SCRIPT, HTMX, ICON]);

/// FNV-1a.
const fn version(mut texts: &[&str]) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    while let [text, rest @ ..] = texts {
        let mut bytes = text.as_bytes();
        while let [byte, rest @ ..] = bytes {
            hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
            bytes = rest;
        }
        texts = rest;
    }
    hash
}

/// They hold nothing of anybody's.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route(
            "/style.css",
            get(async || kept("text/css; charset=utf-8", STYLE)),
        )
        .route(
            "/pages.js",
            get(async || kept("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route(
            "/htmx.js",
            get(async || kept("text/javascript; charset=utf-8", HTMX)),
        )
        .route("/icon.svg", get(async || kept("image/svg+xml", ICON)))
}

fn kept(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, text)
}
