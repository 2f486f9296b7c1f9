use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use partywall::identity::RequestAccount;
use serde::Deserialize;

use super::page::{Page, Top};
use crate::{
    app::App,
    playground::{Answer, LONGEST, statement_run},
    web::{Problem, fields::Fields},
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

#[derive(Deserialize)]
pub(super) struct Statement {
    sql: String,
}

const FIRST: &str = "SELECT title, author, created_at\nFROM note\nORDER BY created_at DESC";

pub(super) async fn form(
    State(app): State<App>,
    account: RequestAccount,
) -> Result<Page<impl Template>, Problem> {
    account.require("sql.run")?;
    Ok(Page(ConsolePage {
        top: Top::new(&account, &app),
        sql: FIRST.to_owned(),
        answer: None,
        problem: None,
        longest: LONGEST,
    }))
}

pub(super) async fn run(
    State(app): State<App>,
    account: RequestAccount,
    fields: Fields<Statement>,
) -> Result<Response, Problem> {
    let playground = app.playground.as_ref().ok_or_else(Problem::not_found)?;
    account.require("sql.run")?;
    let sql = fields.read()?.sql;
    let ran = statement_run(playground, account.scope(), &sql).await;
    let status = match &ran {
        Ok(_) => axum::http::StatusCode::OK,
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
