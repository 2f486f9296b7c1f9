use askama::Template;
use axum::{
    extract::Request,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, RETRY_AFTER},
    },
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use super::page::Page;
use crate::web::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    message: &'a str,
}

/// Puts a page in the place of a problem, for whoever takes one: a browser that opens a stream does not.
pub(super) async fn page(request: Request, next: Next) -> Response {
    let is_wanted = takes_pages(request.headers());
    let response = next.run(request).await;
    if !is_wanted {
        return response;
    }
    let Some(problem) = response.extensions().get::<Problem>() else {
        return response;
    };
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
    let mut answer = (problem.status(), page).into_response();
    if let Some(wait) = response.headers().get(RETRY_AFTER) {
        answer.headers_mut().insert(RETRY_AFTER, wait.clone());
    }
    answer
}

fn takes_pages(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else {
        return true;
    };
    ["text/html", "text/*", "*/*"]
        .iter()
        .any(|kind| accepted.contains(kind))
}
