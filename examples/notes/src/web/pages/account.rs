use askama::Template;
use axum::{
    extract::State,
    http::{
        HeaderMap,
        header::{SET_COOKIE, USER_AGENT},
    },
    response::{IntoResponse, Redirect, Response},
};
use partywall::{
    identity::{AccountInfo, RequestAccount, RequestUser},
    web::{ClientAddress, SessionCookie},
};
use serde::Deserialize;

use super::{page::Page, wrong::Wrong};
use crate::{
    app::App,
    web::{Problem, fields::Fields},
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    email: String,
    problem: Option<Wrong>,
}

#[derive(Template)]
#[template(path = "tenants.html")]
struct TenantsPage {
    user: RequestUser,
    accounts: Vec<AccountInfo>,
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
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    fields: Fields<Credentials>,
) -> Result<Response, Problem> {
    let credentials = fields.read()?;
    let previous = SessionCookie::read(&headers);
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let signed_in = app.identity.sign_in(
        &credentials.email,
        &credentials.password,
        Some(address),
        agent,
        previous.as_ref(),
    );
    match signed_in.await {
        Ok((token, _)) => {
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
                problem: Some(Wrong::new(&problem)),
            };
            Ok((problem.status(), Page(page)).into_response())
        }
    }
}

pub(super) async fn close(
    State(app): State<App>,
    user: RequestUser,
) -> Result<impl IntoResponse, Problem> {
    app.identity.sign_out(&user).await?;
    Ok((
        [(SET_COOKIE, SessionCookie::cleared())],
        Redirect::to("/sign-in"),
    ))
}

pub(super) async fn tenants(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Page<impl Template>, Problem> {
    let mut accounts = app.identity.accounts(&user).await?;
    accounts.retain(|account| !account.is_deleted);
    Ok(Page(TenantsPage { user, accounts }))
}

pub(super) async fn switch(
    State(app): State<App>,
    user: RequestUser,
    fields: Fields<Wanted>,
) -> Result<Redirect, Problem> {
    let wanted = fields.read()?.account;
    let account = app.identity.switch(&user, &wanted).await?;
    Ok(to_tenant(&account.tenant().slug))
}

fn to_tenant(slug: &str) -> Redirect {
    Redirect::to(&format!("/t/{slug}"))
}
