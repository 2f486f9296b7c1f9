use askama::Template;
use axum::{
    extract::State,
    http::header::SET_COOKIE,
    response::{IntoResponse, Redirect, Response},
};
use partywall::{
    identity::{RequestAccount, RequestUser},
    web::SessionCookie,
};
use serde::Deserialize;

use super::page::Page;
use crate::{
    app::App,
    sign_in_for_now::{MyAccount, account_list, account_switch, sign_in, sign_out},
    web::{Problem, fields::Fields},
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    email: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "tenants.html")]
struct TenantsPage {
    user: RequestUser,
    accounts: Vec<MyAccount>,
}

impl TenantsPage {
    fn is_current(&self, account: &MyAccount) -> bool {
        self.user.current_account == Some(account.id)
    }
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    account: String,
}

/// Where the current account is, or the choice of one.
pub(super) async fn start(_: RequestUser, account: Result<RequestAccount, Problem>) -> Redirect {
    match account {
        Ok(account) => to_tenant(&account.tenant().slug),
        Err(_) => Redirect::to("/tenants"),
    }
}

pub(super) async fn form() -> Page<impl Template> {
    Page(SignInPage {
        email: String::new(),
        problem: None,
    })
}

pub(super) async fn open(
    State(app): State<App>,
    fields: Fields<Credentials>,
) -> Result<Response, Problem> {
    let credentials = fields.read()?;
    match sign_in(&app, &credentials.email, &credentials.password).await {
        Ok(token) => {
            let cookie = [(SET_COOKIE, SessionCookie::holding(&app.identity, &token))];
            Ok((cookie, Redirect::to("/")).into_response())
        }
        Err(error) => {
            let problem = Problem::from(error);
            if problem.status().is_server_error() {
                return Err(problem);
            }
            let page = SignInPage {
                email: credentials.email,
                problem: Some(problem.detail().to_owned()),
            };
            Ok((problem.status(), Page(page)).into_response())
        }
    }
}

pub(super) async fn close(
    State(app): State<App>,
    user: RequestUser,
) -> Result<impl IntoResponse, Problem> {
    sign_out(&app, &user).await?;
    Ok((
        [(SET_COOKIE, SessionCookie::cleared())],
        Redirect::to("/sign-in"),
    ))
}

pub(super) async fn tenants(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Page<impl Template>, Problem> {
    let accounts = account_list(&app, &user).await?;
    Ok(Page(TenantsPage { user, accounts }))
}

pub(super) async fn switch(
    State(app): State<App>,
    user: RequestUser,
    fields: Fields<Wanted>,
) -> Result<Redirect, Problem> {
    let wanted = fields.read()?.account;
    Ok(to_tenant(&account_switch(&app, &user, &wanted).await?))
}

fn to_tenant(slug: &str) -> Redirect {
    Redirect::to(&format!("/t/{slug}"))
}
