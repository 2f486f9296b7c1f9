use axum::{Json, extract::State};
use serde::Deserialize;

use crate::{
    app::App,
    identity::InTenant,
    playground::{Answer, statement_run},
    web::{Problem, fields::Body},
};

#[derive(Deserialize)]
pub(super) struct Statement {
    sql: String,
}

pub(super) async fn run(
    State(app): State<App>,
    tenant: InTenant,
    Body(statement): Body<Statement>,
) -> Result<Json<Answer>, Problem> {
    let playground = app.playground.as_ref().ok_or(Problem::NotFound)?;
    Ok(Json(
        statement_run(playground, &tenant.scope, &statement.sql).await?,
    ))
}
