use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::SET_COOKIE},
    response::IntoResponse,
};
use partywall::{
    identity::RequestUser,
    web::{ClientAddress, SessionCookie},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    web::{Problem, fields::Body},
};

#[derive(Deserialize)]
pub(super) struct SignUp {
    email: String,
    /// What stands before the `@` where there is none.
    name: Option<String>,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Link {
    token: String,
}

#[derive(Deserialize)]
pub(super) struct Address {
    email: String,
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    token: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Change {
    old: String,
    new: String,
}

#[derive(Deserialize)]
pub(super) struct Password {
    password: String,
}

/// The answer says that a mail is on its way and not what it says.
fn mailed() -> (StatusCode, Json<Value>) {
    (StatusCode::ACCEPTED, Json(json!({ "mailed": true })))
}

pub(super) async fn sign_up(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    body: Body<SignUp>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let SignUp {
        email,
        name,
        password,
    } = body.read()?;
    let local = || email.split('@').next().unwrap_or_default().to_owned();
    let name = name.unwrap_or_else(local);
    app.identity
        .sign_up(&email, &name, &password, Some(address))
        .await?;
    Ok(mailed())
}

pub(super) async fn verify(
    State(app): State<App>,
    body: Body<Link>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let user = app.identity.sign_up_confirm(&body.read()?.token).await?;
    Ok((StatusCode::CREATED, Json(json!({ "user": user }))))
}

pub(super) async fn reset(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    body: Body<Address>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let email = body.read()?.email;
    app.identity.reset_request(&email, Some(address)).await?;
    Ok(mailed())
}

pub(super) async fn reset_confirm(
    State(app): State<App>,
    body: Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let NewPassword { token, password } = body.read()?;
    app.identity.reset_confirm(&token, &password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The session goes on under a new token.
pub(super) async fn password(
    State(app): State<App>,
    user: RequestUser,
    body: Body<Change>,
) -> Result<impl IntoResponse, Problem> {
    let Change { old, new } = body.read()?;
    let token = app.identity.password_change(&user, &old, &new).await?;
    let cookie = SessionCookie::holding(&app.identity, &token);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]))
}

pub(super) async fn deactivate(
    State(app): State<App>,
    user: RequestUser,
    body: Body<Password>,
) -> Result<impl IntoResponse, Problem> {
    let password = body.read()?.password;
    app.identity.user_deactivate(&user, &password).await?;
    Ok((
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, SessionCookie::cleared())],
    ))
}
