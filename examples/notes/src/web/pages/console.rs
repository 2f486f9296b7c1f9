use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use partywall::{identity::RequestAccount, web::Endpoint};
use serde::Deserialize;
use utoipa::ToSchema;

use super::page::{Page, Top};
use crate::{
    app::App,
    playground::{Answer, LONGEST, statement_run},
    web::{
        Problem,
        fields::Fields,
        shape::{self, html},
    },
};

#[derive(Template)]
#[template(path = "console.html")]
struct ConsolePage {
    top: Top,
    sql: String,
    answer: Option<Answer>,
    problem: Option<(String, String)>,
    longest: usize,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = StatementForm)]
pub(super) struct Statement {
    sql: String,
}

pub(super) fn endpoints() -> [Endpoint<App>; 2] {
    [
        Endpoint::get("/t/{tenant}/sql", form)
            .named("page.sql.new")
            .require("sql.run")
            .summary("The form for a statement")
            .output(StatusCode::OK, html()),
        Endpoint::post("/t/{tenant}/sql", run)
            .named("page.sql.run")
            .require("sql.run")
            .summary("Runs one statement in the tenant's scope")
            .input(shape::form::<Statement>())
            .output(StatusCode::OK, html()),
    ]
}

const FIRST: &str = "SELECT title, author, created_at\nFROM note\nORDER BY created_at DESC";

pub(super) async fn form(State(app): State<App>, account: RequestAccount) -> Page<impl Template> {
    Page(ConsolePage {
        top: Top::new(&account, &app),
        sql: FIRST.to_owned(),
        answer: None,
        problem: None,
        longest: LONGEST,
    })
}

pub(super) async fn run(
    State(app): State<App>,
    account: RequestAccount,
    Fields(Statement { sql }): Fields<Statement>,
) -> Result<Response, Problem> {
    let playground = app.playground.as_ref().ok_or_else(Problem::not_found)?;
    let ran = statement_run(playground, account.scope(), &sql).await;
    let status = match &ran {
        Ok(_) => StatusCode::OK,
        Err(problem) => problem.status(),
    };
    let problem = ran
        .as_ref()
        .err()
        .map(|problem| (problem.code().to_owned(), problem.detail().to_owned()));
    let page = ConsolePage {
        top: Top::new(&account, &app),
        sql,
        answer: ran.ok(),
        problem,
        longest: LONGEST,
    };
    Ok((status, Page(page)).into_response())
}
