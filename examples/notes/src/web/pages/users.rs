use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use partywall::{identity, web::ClientAddress};
use serde::Deserialize;

use super::{
    page::{Notice, Page},
    wrong::Wrong,
};
use crate::{
    app::App,
    web::{Problem, fields::Fields},
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

#[derive(Deserialize)]
pub(super) struct SignUp {
    email: String,
    name: String,
    password: String,
}

#[derive(Default, Deserialize)]
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
    fields: Fields<SignUp>,
) -> Result<Response, Problem> {
    let SignUp {
        email,
        name,
        password,
    } = fields.read()?;
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
pub(super) async fn verify_form(link: Result<Query<Link>, QueryRejection>) -> Page<impl Template> {
    let Query(Link { token }) = link.unwrap_or_default();
    Page(VerifyPage { token })
}

pub(super) async fn verify(
    State(app): State<App>,
    fields: Fields<Link>,
) -> Result<Page<impl Template>, Problem> {
    app.identity.sign_up_confirm(&fields.read()?.token).await?;
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
    fields: Fields<Address>,
) -> Result<Response, Problem> {
    let email = fields.read()?.email;
    let asked = app.identity.reset_request(&email, Some(address)).await;
    answer(asked, mailed, |problem| ForgottenPage { email, problem })
}

pub(super) async fn reset_form(link: Result<Query<Link>, QueryRejection>) -> Page<impl Template> {
    let Query(Link { token }) = link.unwrap_or_default();
    Page(NewPasswordPage {
        token,
        problem: None,
    })
}

pub(super) async fn reset(
    State(app): State<App>,
    fields: Fields<NewPassword>,
) -> Result<Response, Problem> {
    let NewPassword { token, password } = fields.read()?;
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
