use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::SET_COOKIE},
    response::IntoResponse,
};
use partywall::{
    identity::RequestUser,
    web::{ClientAddress, Endpoint, SessionCookie},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    web::{Problem, fields::Body, shape::json},
};

#[derive(Deserialize, ToSchema)]
pub(super) struct SignUp {
    email: String,
    /// What stands before the `@` where there is none.
    name: Option<String>,
    password: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Link {
    token: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Address {
    email: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewPassword {
    token: String,
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordChange)]
pub(super) struct Change {
    old: String,
    new: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Password {
    password: String,
}

/// A mail is on its way. What it says is not told.
#[derive(Serialize, ToSchema)]
pub(super) struct Mailed {
    mailed: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Verified {
    user: Uuid,
}

pub(super) fn endpoints() -> [Endpoint<App>; 6] {
    [
        Endpoint::post("/users", sign_up)
            .named("user.create")
            .public("whoever signs up is not signed in yet; it is limited by address")
            .summary("Signs up: a link is mailed")
            .input(json::<SignUp>())
            .output(StatusCode::ACCEPTED, json::<Mailed>()),
        Endpoint::post("/users/verify", verify)
            .named("user.verify")
            .public("the link that was mailed is the proof")
            .summary("Follows the link of a sign-up")
            .input(json::<Link>())
            .output(StatusCode::CREATED, json::<Verified>()),
        Endpoint::post("/users/reset", reset)
            .named("user.reset")
            .public("whoever forgot their password cannot sign in; it is limited by address")
            .summary("Asks for a link to set a new password")
            .input(json::<Address>())
            .output(StatusCode::ACCEPTED, json::<Mailed>()),
        Endpoint::post("/users/reset/confirm", reset_confirm)
            .named("user.reset_confirm")
            .public("the link that was mailed is the proof")
            .summary("Sets a new password by such a link")
            .input(json::<NewPassword>())
            .answers(StatusCode::NO_CONTENT),
        Endpoint::post("/users/password", password)
            .named("user.password")
            .signed_in()
            .summary("Changes the visitor's password")
            .input(json::<Change>())
            .answers(StatusCode::NO_CONTENT),
        Endpoint::post("/users/deactivate", deactivate)
            .named("user.deactivate")
            .signed_in()
            .summary("Ends the visitor's user")
            .input(json::<Password>())
            .answers(StatusCode::NO_CONTENT),
    ]
}

fn mailed() -> (StatusCode, Json<Mailed>) {
    (StatusCode::ACCEPTED, Json(Mailed { mailed: true }))
}

pub(super) async fn sign_up(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Body(body): Body<SignUp>,
) -> Result<(StatusCode, Json<Mailed>), Problem> {
    let SignUp {
        email,
        name,
        password,
    } = body;
    let local = || email.split('@').next().unwrap_or_default().to_owned();
    let name = name.unwrap_or_else(local);
    app.identity
        .sign_up(&email, &name, &password, Some(address))
        .await?;
    Ok(mailed())
}

pub(super) async fn verify(
    State(app): State<App>,
    Body(body): Body<Link>,
) -> Result<(StatusCode, Json<Verified>), Problem> {
    let user = app.identity.sign_up_confirm(&body.token).await?;
    Ok((StatusCode::CREATED, Json(Verified { user })))
}

pub(super) async fn reset(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Body(body): Body<Address>,
) -> Result<(StatusCode, Json<Mailed>), Problem> {
    let email = body.email;
    app.identity.reset_request(&email, Some(address)).await?;
    Ok(mailed())
}

pub(super) async fn reset_confirm(
    State(app): State<App>,
    Body(body): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let NewPassword { token, password } = body;
    app.identity.reset_confirm(&token, &password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The session goes on under a new token.
pub(super) async fn password(
    State(app): State<App>,
    user: RequestUser,
    Body(body): Body<Change>,
) -> Result<impl IntoResponse, Problem> {
    let Change { old, new } = body;
    let token = app.identity.password_change(&user, &old, &new).await?;
    let cookie = SessionCookie::holding(&app.identity, &token);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]))
}

pub(super) async fn deactivate(
    State(app): State<App>,
    user: RequestUser,
    Body(body): Body<Password>,
) -> Result<impl IntoResponse, Problem> {
    let password = body.password;
    app.identity.user_deactivate(&user, &password).await?;
    Ok((
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, SessionCookie::cleared())],
    ))
}
