//! What describes the API to programs, and a page to browse it with.

use axum::{body::Bytes, http::StatusCode, http::header::CONTENT_TYPE};
use partywall::web::{self, Endpoint, Routes};
use serde_json::Value;
use utoipa::openapi::{InfoBuilder, OpenApi};

use super::shape::{html, json};
use crate::app::App;

const DOCUMENT: &str = "/api/openapi.json";
const PAGE: &str = "/api/docs";
const WHY: &str = "the API is no secret";

/// Of what programs ask for: pages are described by what is on them.
pub(super) fn document(routes: &Routes<App>) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Notes")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Notes for several tenants"));
    routes.openapi(info.build(), |endpoint| {
        endpoint.path().starts_with("/api/")
    })
}

/// The document, which stays the same while the application runs, and its page.
pub(super) fn endpoints(document: &OpenApi) -> Vec<Endpoint<App>> {
    // It is made of what can be written as JSON.
    let text = Bytes::from(document.to_json().unwrap_or_default());
    let show = async move || ([(CONTENT_TYPE, "application/json")], text);
    let document = Endpoint::get(DOCUMENT, show)
        .named("openapi.show")
        .public(WHY)
        .summary("This API, as OpenAPI 3.1 describes it")
        .output(StatusCode::OK, json::<Value>());
    let [page, files] = web::swagger(PAGE, DOCUMENT).map(|endpoint| endpoint.public(WHY));
    let page = page
        .summary("Leads to a page to browse this API with")
        .answers(StatusCode::SEE_OTHER);
    let files = files
        .summary("A page to browse this API with, and what it is made of")
        .output(StatusCode::OK, html());
    vec![document, page, files]
}
