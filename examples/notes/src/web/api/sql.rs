use axum::{Json, extract::State, http::StatusCode};
use partywall::{identity::RequestAccount, web::Endpoint};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    playground::{Answer, statement_run},
    web::{Problem, fields::Body, shape::json},
};

#[derive(Deserialize, ToSchema)]
pub(super) struct Statement {
    sql: String,
}

pub(super) fn endpoints() -> [Endpoint<App>; 1] {
    [Endpoint::post("/tenants/{tenant}/sql", run)
        .named("sql.run")
        .require("sql.run")
        .summary("Runs one statement in the tenant's scope")
        .input(json::<Statement>())
        .output(StatusCode::OK, json::<Answer>())]
}

pub(super) async fn run(
    State(app): State<App>,
    account: RequestAccount,
    Body(body): Body<Statement>,
) -> Result<Json<Answer>, Problem> {
    let playground = app.playground.as_ref().ok_or_else(Problem::not_found)?;
    let answer = statement_run(playground, account.scope(), &body.sql).await?;
    Ok(Json(answer))
}
