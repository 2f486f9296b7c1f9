use axum::{http::header::CONTENT_TYPE, response::IntoResponse};
use partywall::web::{Body, Endpoint};

use crate::app::App;

pub(super) fn endpoints() -> [Endpoint<App>; 1] {
    [Endpoint::get("/style.css", style)
        .named("file.style")
        .public("the same file for everybody")
        .summary("How pages look")
        .output(axum::http::StatusCode::OK, Body::of::<String>("text/css"))]
}

async fn style() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("../../assets/style.css"),
    )
}
