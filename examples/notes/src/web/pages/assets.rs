//! What pages are made of besides HTML. Their addresses change with them, so browsers may keep them.

use axum::{
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::IntoResponse,
};
use partywall::web::{Body, Endpoint};

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

const FILES: [(&str, &str, &str, &str); 4] = [
    ("/style.css", "file.style", "text/css; charset=utf-8", STYLE),
    (
        "/pages.js",
        "file.pages",
        "text/javascript; charset=utf-8",
        SCRIPT,
    ),
    (
        "/htmx.js",
        "file.htmx",
        "text/javascript; charset=utf-8",
        HTMX,
    ),
    ("/icon.svg", "file.icon", "image/svg+xml", ICON),
];

/// They hold nothing of anybody's.
pub(super) fn endpoints() -> impl Iterator<Item = Endpoint<App>> {
    FILES.into_iter().map(|(path, name, kind, text)| {
        Endpoint::get(path, async move || kept(kind, text))
            .named(name)
            .public("the same file for everybody")
            .summary("What pages are made of besides HTML")
            .output(StatusCode::OK, Body::of::<String>(kind))
    })
}

fn kept(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, text)
}
