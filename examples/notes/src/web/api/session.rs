use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{SET_COOKIE, USER_AGENT},
    },
    response::IntoResponse,
};
use partywall::{
    identity::{RequestAccount, RequestUser},
    web::{ClientAddress, SessionCookie},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    web::{Problem, fields::Body},
};

#[derive(Deserialize)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    account: Value,
}

pub(super) async fn open(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    body: Body<Credentials>,
) -> Result<impl IntoResponse, Problem> {
    let credentials = body.read()?;
    let previous = SessionCookie::read(&headers);
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let (token, found) = app
        .identity
        .sign_in(
            &credentials.email,
            &credentials.password,
            Some(address),
            agent,
            previous.as_ref(),
        )
        .await?;
    let cookie = SessionCookie::holding(&app.identity, &token);
    let account = found.account().ok();
    let view = json!({
        "user": found.user.as_ref().map(user_view),
        "account": account.as_ref().map(account_view),
    });
    Ok(([(SET_COOKIE, cookie)], Json(view)))
}

/// Who is signed in, and the account that is current where an address names no tenant.
pub(super) async fn show(
    user: RequestUser,
    account: Result<RequestAccount, Problem>,
) -> Json<Value> {
    let account = account.ok();
    Json(json!({
        "user": user_view(&user),
        "account": account.as_ref().map(account_view),
    }))
}

pub(super) async fn close(
    State(app): State<App>,
    user: RequestUser,
) -> Result<impl IntoResponse, Problem> {
    app.identity.sign_out(&user).await?;
    Ok((
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, SessionCookie::cleared())],
    ))
}

/// Makes another of the visitor's accounts the current one.
pub(super) async fn switch(
    State(app): State<App>,
    user: RequestUser,
    body: Body<Wanted>,
) -> Result<Json<Value>, Problem> {
    let wanted = body.read()?.account;
    // What is no text is nobody's id, like any other.
    let account = app
        .identity
        .switch(&user, wanted.as_str().unwrap_or_default())
        .await?;
    Ok(Json(json!({ "account": account_view(&account) })))
}

fn user_view(user: &RequestUser) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "is_staff": user.is_staff,
    })
}

fn account_view(account: &RequestAccount) -> Value {
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
}
