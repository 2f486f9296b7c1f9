use askama::Template;
use axum::{
    http::{StatusCode, header::RETRY_AFTER},
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

/// Puts a page in the place of a problem.
pub(super) async fn page(response: Response) -> Response {
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
