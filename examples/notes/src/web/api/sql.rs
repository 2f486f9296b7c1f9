use axum::{Json, extract::State};
use partywall::identity::RequestAccount;
use serde::Deserialize;

use crate::{
    app::App,
    playground::{Answer, statement_run},
    web::{Problem, fields::Body},
};

#[derive(Deserialize)]
pub(super) struct Statement {
    sql: String,
}

pub(super) async fn run(
    State(app): State<App>,
    account: RequestAccount,
    body: Body<Statement>,
) -> Result<Json<Answer>, Problem> {
    let playground = app.playground.as_ref().ok_or_else(Problem::not_found)?;
    account.require("sql.run")?;
    let sql = body.read()?.sql;
    Ok(Json(
        statement_run(playground, account.scope(), &sql).await?,
    ))
}
