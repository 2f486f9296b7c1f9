use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::SET_COOKIE},
    response::IntoResponse,
};
use partywall::{
    identity::{RequestAccount, RequestUser},
    web::SessionCookie,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    sign_in_for_now::{sign_in, sign_out},
    web::{Problem, fields::Body},
};

#[derive(Deserialize)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

pub(super) async fn open(
    State(app): State<App>,
    body: Body<Credentials>,
) -> Result<impl IntoResponse, Problem> {
    let credentials = body.read()?;
    let token = sign_in(&app, &credentials.email, &credentials.password).await?;
    let cookie = SessionCookie::holding(&app.identity, &token);
    Ok(([(SET_COOKIE, cookie)], Json(json!({ "signed_in": true }))))
}

/// Who is signed in, and the account that is current where an address names no tenant.
pub(super) async fn show(
    user: RequestUser,
    account: Result<RequestAccount, Problem>,
) -> Json<Value> {
    let account = account.ok().map(|account| {
        json!({
            "id": account.id(),
            "name": account.actor().name(),
            "tenant": {
                "id": account.tenant().id,
                "slug": account.tenant().slug,
                "name": account.tenant().name,
            },
            "permissions": account.permissions().iter().collect::<Vec<_>>(),
        })
    });
    let user = json!({
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "is_staff": user.is_staff,
    });
    Json(json!({ "user": user, "account": account }))
}

pub(super) async fn close(
    State(app): State<App>,
    user: RequestUser,
) -> Result<impl IntoResponse, Problem> {
    sign_out(&app, &user).await?;
    Ok((
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, SessionCookie::cleared())],
    ))
}
