use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use partywall::{
    identity,
    web::{self, ClientAddress, Endpoint},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    page::{Notice, Page},
    wrong::Wrong,
};
use crate::{
    app::App,
    web::{
        NO_STORE, Problem,
        fields::Fields,
        shape::{form, html},
    },
};

#[derive(Template)]
#[template(path = "sign_up.html")]
struct SignUpPage {
    email: String,
    name: String,
    problem: Option<Wrong>,
}

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage {
    token: String,
}

#[derive(Template)]
#[template(path = "forgotten.html")]
struct ForgottenPage {
    email: String,
    problem: Option<Wrong>,
}

#[derive(Template)]
#[template(path = "new_password.html")]
struct NewPasswordPage {
    token: String,
    problem: Option<Wrong>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SignUpForm)]
pub(super) struct SignUp {
    email: String,
    name: String,
    password: String,
}

#[derive(Default, Deserialize, IntoParams, ToSchema)]
#[schema(as = LinkForm)]
pub(super) struct Link {
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AddressForm)]
pub(super) struct Address {
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewPasswordForm)]
pub(super) struct NewPassword {
    token: String,
    password: String,
}

pub(super) fn endpoints() -> [Endpoint<App>; 8] {
    [
        Endpoint::get("/sign-up", sign_up_form)
            .named("page.user.new")
            .public("whoever signs up is not signed in yet")
            .summary("The form for signing up")
            .output(StatusCode::OK, html()),
        Endpoint::post("/sign-up", sign_up)
            .named("page.user.create")
            .public("whoever signs up is not signed in yet; it is limited by address")
            .summary("Signs up: a link is mailed")
            .input(form::<SignUp>())
            .output(StatusCode::OK, html()),
        Endpoint::get("/verify", verify_form)
            .named("page.user.confirm")
            .public("the link that was mailed is the proof; looking at it does nothing")
            .summary("Asks whether to follow the link of a sign-up")
            .query(web::Query::of::<Link>())
            .output(StatusCode::OK, html()),
        Endpoint::post("/verify", verify)
            .named("page.user.verify")
            .public("the link that was mailed is the proof")
            .summary("Follows the link of a sign-up")
            .input(form::<Link>())
            .output(StatusCode::OK, html()),
        Endpoint::get("/forgotten", forgotten_form)
            .named("page.password.forgotten")
            .public("whoever forgot their password cannot sign in")
            .summary("The form for a forgotten password")
            .output(StatusCode::OK, html()),
        Endpoint::post("/forgotten", forgotten)
            .named("page.password.ask")
            .public("whoever forgot their password cannot sign in; it is limited by address")
            .summary("Asks for a link to set a new password")
            .input(form::<Address>())
            .output(StatusCode::OK, html()),
        Endpoint::get("/reset", reset_form)
            .named("page.password.new")
            .public("the link that was mailed is the proof; looking at it does nothing")
            .summary("The form for a new password")
            .query(web::Query::of::<Link>())
            .output(StatusCode::OK, html()),
        Endpoint::post("/reset", reset)
            .named("page.password.reset")
            .public("the link that was mailed is the proof")
            .summary("Sets a new password")
            .input(form::<NewPassword>())
            .output(StatusCode::OK, html()),
    ]
}

pub(super) async fn sign_up_form() -> Page<impl Template> {
    Page(SignUpPage {
        email: String::new(),
        name: String::new(),
        problem: None,
    })
}

pub(super) async fn sign_up(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Fields(SignUp {
        email,
        name,
        password,
    }): Fields<SignUp>,
) -> Result<Response, Problem> {
    let signed_up = app
        .identity
        .sign_up(&email, &name, &password, Some(address))
        .await;
    answer(signed_up, mailed, |problem| SignUpPage {
        email,
        name,
        problem,
    })
}

/// Following the link does nothing yet: programs that look at mail follow links as well.
pub(super) async fn verify_form(link: Result<Query<Link>, QueryRejection>) -> impl IntoResponse {
    let Query(Link { token }) = link.unwrap_or_default();
    (NO_STORE, Page(VerifyPage { token }))
}

pub(super) async fn verify(
    State(app): State<App>,
    Fields(link): Fields<Link>,
) -> Result<Page<impl Template>, Problem> {
    app.identity.sign_up_confirm(&link.token).await?;
    Ok(Page(Notice {
        title: "Welcome",
        message: "The address is yours, and your account is there: sign in with it.",
    }))
}

pub(super) async fn forgotten_form() -> Page<impl Template> {
    Page(ForgottenPage {
        email: String::new(),
        problem: None,
    })
}

pub(super) async fn forgotten(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Fields(Address { email }): Fields<Address>,
) -> Result<Response, Problem> {
    let asked = app.identity.reset_request(&email, Some(address)).await;
    answer(asked, mailed, |problem| ForgottenPage { email, problem })
}

pub(super) async fn reset_form(link: Result<Query<Link>, QueryRejection>) -> impl IntoResponse {
    let Query(Link { token }) = link.unwrap_or_default();
    let page = NewPasswordPage {
        token,
        problem: None,
    };
    (NO_STORE, Page(page))
}

pub(super) async fn reset(
    State(app): State<App>,
    Fields(NewPassword { token, password }): Fields<NewPassword>,
) -> Result<Response, Problem> {
    let set = app.identity.reset_confirm(&token, &password).await;
    let notice = || Notice {
        title: "Your password is set",
        message: "You were signed out everywhere: sign in with the new one.",
    };
    answer(set, notice, |problem| NewPasswordPage { token, problem })
}

fn mailed() -> Notice {
    Notice {
        title: "Look into your mail",
        message: "We have sent you a link to go on with.",
    }
}

/// The form as it was filled in, with what is wrong, or how it goes on.
fn answer<T: Template>(
    done: Result<(), identity::Error>,
    notice: impl FnOnce() -> Notice,
    form: impl FnOnce(Option<Wrong>) -> T,
) -> Result<Response, Problem> {
    let Err(error) = done else {
        return Ok(Page(notice()).into_response());
    };
    let problem = Problem::from(error);
    if problem.status().is_server_error() {
        return Err(problem);
    }
    let page = form(Some(Wrong::new(&problem)));
    Ok((problem.status(), Page(page)).into_response())
}
