use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    app::App,
    identity::{self, SignedIn},
    web::{Problem, fields::Body},
};

#[derive(Deserialize)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

pub(super) async fn open(
    State(app): State<App>,
    headers: HeaderMap,
    Body(credentials): Body<Credentials>,
) -> Result<impl IntoResponse, Problem> {
    let token = identity::sign_in(&app, &credentials.email, &credentials.password).await?;
    Ok((
        [(SET_COOKIE, identity::holding(&token, &headers))],
        Json(json!({ "signed_in": true })),
    ))
}

pub(super) async fn close(
    State(app): State<App>,
    headers: HeaderMap,
    signed_in: SignedIn,
) -> Result<impl IntoResponse, Problem> {
    identity::session_close(&app.db, &signed_in.token).await?;
    Ok((
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, identity::cleared(&headers))],
    ))
}
