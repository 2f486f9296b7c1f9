use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, header::SET_COOKIE},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::page::Page;
use crate::{
    app::App,
    identity::{self, SignedIn, tenant_list},
    models::tenant,
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
    person: String,
    tenants: Vec<tenant::Model>,
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

pub(super) async fn start(_: SignedIn) -> Redirect {
    Redirect::to("/tenants")
}

pub(super) async fn form() -> Page<impl Template> {
    Page(SignInPage {
        email: String::new(),
        problem: None,
    })
}

pub(super) async fn open(
    State(app): State<App>,
    headers: HeaderMap,
    Fields(credentials): Fields<Credentials>,
) -> Result<Response, Problem> {
    match identity::sign_in(&app, &credentials.email, &credentials.password).await {
        Ok(token) => {
            let cookie = [(SET_COOKIE, identity::holding(&token, &headers))];
            Ok((cookie, Redirect::to("/tenants")).into_response())
        }
        Err(problem @ Problem::WrongPassword) => {
            let page = SignInPage {
                email: credentials.email,
                problem: Some(problem.message().to_owned()),
            };
            Ok((problem.status(), Page(page)).into_response())
        }
        Err(problem) => Err(problem),
    }
}

pub(super) async fn close(
    State(app): State<App>,
    headers: HeaderMap,
    signed_in: SignedIn,
) -> Result<impl IntoResponse, Problem> {
    identity::session_close(&app.db, &signed_in.token).await?;
    Ok((
        [(SET_COOKIE, identity::cleared(&headers))],
        Redirect::to("/sign-in"),
    ))
}

pub(super) async fn tenants(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Page<impl Template>, Problem> {
    let tenants = tenant_list(&app.db, signed_in.person.id).await?;
    Ok(Page(TenantsPage {
        person: signed_in.person.name,
        tenants,
    }))
}
