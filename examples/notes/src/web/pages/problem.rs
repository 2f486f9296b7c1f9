use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};

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
    if *problem == Problem::Anonymous {
        return Redirect::to("/sign-in").into_response();
    }
    let title = match problem {
        Problem::NotFound => "Not found",
        Problem::Invalid(_) => "That did not fit",
        Problem::CrossSite => "Not from there",
        Problem::Anonymous
        | Problem::WrongPassword
        | Problem::Method
        | Problem::Statement(..)
        | Problem::Busy
        | Problem::Internal => "That did not work",
    };
    (
        problem.status(),
        Page(ProblemPage {
            title,
            message: problem.message(),
        }),
    )
        .into_response()
}
