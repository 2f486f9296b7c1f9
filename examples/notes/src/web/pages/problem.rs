use askama::Template;
use axum::{
    extract::Request,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use super::page::Page;
use crate::web::{Problem, reader::Reader};

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    message: &'a str,
}

/// Puts a page in the place of a problem that a person meets and takes one for: a browser that opens a
/// stream does not. What else the answer says stays.
pub(in crate::web) async fn page(request: Request, next: Next) -> Response {
    let is_wanted = Reader::of(request.uri()) == Reader::Person && takes_pages(request.headers());
    let response = next.run(request).await;
    let problem = match response.extensions().get::<Problem>() {
        Some(problem) if is_wanted => problem.clone(),
        Some(_) | None => return response,
    };
    let (page, body) = shown(&problem).into_parts();
    let (mut head, _) = response.into_parts();
    head.status = page.status;
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_TYPE] {
        head.headers.remove(name);
    }
    head.headers.extend(page.headers);
    Response::from_parts(head, body)
}

fn shown(problem: &Problem) -> Response {
    let title = match (problem.status(), problem.code()) {
        (StatusCode::UNAUTHORIZED, _) => return Redirect::to("/sign-in").into_response(),
        (StatusCode::NOT_FOUND, _) => "Not found",
        (StatusCode::UNPROCESSABLE_ENTITY, _) => "That did not fit",
        (StatusCode::FORBIDDEN, "cross_site") => "Not from there",
        (StatusCode::FORBIDDEN, _) => "Not for you",
        _ => "That did not work",
    };
    let page = Page(ProblemPage {
        title,
        message: problem.detail(),
    });
    (problem.status(), page).into_response()
}

fn takes_pages(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else {
        return true;
    };
    ["text/html", "text/*", "*/*"]
        .iter()
        .any(|kind| accepted.contains(kind))
}
