use askama::Template;
use axum::{
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{SET_COOKIE, USER_AGENT},
    },
    response::{IntoResponse, Redirect, Response},
};
use partywall::{
    identity::{AccountInfo, RequestAccount, RequestUser},
    web::{ClientAddress, Endpoint, SessionCookie},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{page::Page, wrong::Wrong};
use crate::{
    app::App,
    web::{
        Problem,
        fields::Fields,
        shape::{form, html},
    },
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

#[derive(Deserialize, ToSchema)]
#[schema(as = CredentialsForm)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AccountForm)]
pub(super) struct Wanted {
    account: String,
}

pub(super) fn endpoints() -> [Endpoint<App>; 6] {
    [
        Endpoint::get("/", start)
            .named("page.start")
            .signed_in()
            .summary("Leads to the current account, or to the choice of one")
            .answers(StatusCode::SEE_OTHER),
        Endpoint::get("/sign-in", sign_in_form)
            .named("page.session.new")
            .public("it is how one signs in")
            .summary("The form for signing in")
            .output(StatusCode::OK, html()),
        Endpoint::post("/sign-in", open)
            .named("page.session.create")
            .public("it is how one signs in")
            .summary("Signs in")
            .input(form::<Credentials>())
            .answers(StatusCode::SEE_OTHER),
        Endpoint::post("/sign-out", close)
            .named("page.session.delete")
            .signed_in()
            .summary("Signs out")
            .answers(StatusCode::SEE_OTHER),
        Endpoint::get("/tenants", tenants)
            .named("page.account.list")
            .signed_in()
            .summary("The visitor's tenants")
            .output(StatusCode::OK, html()),
        Endpoint::post("/switch", switch)
            .named("page.session.switch")
            .signed_in()
            .summary("Makes another of the visitor's accounts the current one")
            .input(form::<Wanted>())
            .answers(StatusCode::SEE_OTHER),
    ]
}

/// Where the current account is, or the choice of one.
pub(super) async fn start(_: RequestUser, account: Result<RequestAccount, Problem>) -> Redirect {
    match account {
        Ok(account) => to_tenant(&account.tenant().slug),
        Err(_) => Redirect::to("/tenants"),
    }
}

pub(super) async fn sign_in_form() -> Page<impl Template> {
    Page(SignInPage {
        email: String::new(),
        problem: None,
    })
}

pub(super) async fn open(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Fields(credentials): Fields<Credentials>,
) -> Result<Response, Problem> {
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
    Fields(Wanted { account }): Fields<Wanted>,
) -> Result<Redirect, Problem> {
    let account = app.identity.switch(&user, &account).await?;
    Ok(to_tenant(&account.tenant().slug))
}

fn to_tenant(slug: &str) -> Redirect {
    Redirect::to(&format!("/t/{slug}"))
}
