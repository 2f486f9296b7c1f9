//! What is the same for everybody.

use axum::http::HeaderMap;
use partywall::testing::Case;

use super::attacked::Attacked;

pub(super) fn case(_: &Attacked, endpoint: &str) -> Option<Case> {
    let case = match endpoint {
        "file.style" | "file.pages" | "file.htmx" | "file.icon" | "page.mail.list"
        | "openapi.show" | "swagger.index" => Case::new(),
        "swagger.file" => Case::new().parameter("swagger_file", "index.html"),
        _ => return None,
    };
    Some(case.sent_by(HeaderMap::new()))
}
