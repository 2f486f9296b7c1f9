use askama::Template;
use axum::{
    extract::{Path, State},
    http::{StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Redirect, Response},
};
use partywall::{
    identity::{RequestUser, SessionInfo},
    web::{Endpoint, SessionCookie},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::page::{Notice, Page};
use crate::{
    app::App,
    notes::time,
    web::{
        Problem,
        fields::Fields,
        shape::{form, html},
    },
};

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    user: RequestUser,
    sessions: Vec<SessionInfo>,
}

impl SessionsPage {
    fn seen(session: &SessionInfo) -> String {
        time(session.seen_at)
    }

    /// What a person calls a browser and its machine, and the name that it gives itself for all others.
    /// Most claim to be several; the true one is asked for first.
    fn program(agent: &str) -> String {
        let named = |known: &[(&str, &'static str)]| {
            let found = known.iter().find(|(sign, _)| agent.contains(sign));
            found.map(|(_, name)| *name)
        };
        let browser = named(&[
            ("Edg/", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ]);
        let machine = named(&[
            ("Windows", "Windows"),
            ("Android", "Android"),
            ("iPhone", "an iPhone"),
            ("iPad", "an iPad"),
            ("Mac OS X", "a Mac"),
            ("Linux", "Linux"),
        ]);
        match (browser, machine) {
            (Some(browser), Some(machine)) => format!("{browser} on {machine}"),
            _ => agent.to_owned(),
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordChangeForm)]
pub(super) struct Change {
    old: String,
    new: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordForm)]
pub(super) struct Password {
    password: String,
}

pub(super) fn endpoints() -> [Endpoint<App>; 5] {
    [
        Endpoint::get("/sessions", list)
            .named("page.session.list")
            .signed_in()
            .summary("The visitor's own sessions")
            .output(StatusCode::OK, html()),
        Endpoint::post("/sessions/others", revoke_others)
            .named("page.session.revoke_others")
            .signed_in()
            .summary("Ends all sessions of the visitor's but this one")
            .answers(StatusCode::SEE_OTHER),
        Endpoint::post("/sessions/{session}/revoke", revoke)
            .named("page.session.revoke")
            .signed_in()
            .summary("Ends one of the visitor's own sessions")
            .answers(StatusCode::SEE_OTHER),
        Endpoint::post("/password", password)
            .named("page.password.update")
            .signed_in()
            .summary("Changes the visitor's password")
            .input(form::<Change>())
            .output(StatusCode::OK, html()),
        Endpoint::post("/deactivate", deactivate)
            .named("page.user.deactivate")
            .signed_in()
            .summary("Ends the visitor's user")
            .input(form::<Password>())
            .output(StatusCode::OK, html()),
    ]
}

pub(super) async fn list(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Page<impl Template>, Problem> {
    let sessions = app.identity.sessions(&user).await?;
    Ok(Page(SessionsPage { user, sessions }))
}

pub(super) async fn revoke(
    State(app): State<App>,
    user: RequestUser,
    Path(session): Path<Uuid>,
) -> Result<Redirect, Problem> {
    app.identity.session_revoke(&user, session).await?;
    Ok(Redirect::to("/sessions#ended"))
}

pub(super) async fn revoke_others(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Redirect, Problem> {
    app.identity.sessions_revoke_others(&user).await?;
    Ok(Redirect::to("/sessions#ended"))
}

/// A wrong password is no reason to send the visitor to where one signs in.
fn wrong(problem: Problem) -> Problem {
    if problem.code() == "wrong_credentials" {
        Problem::invalid("the password is wrong")
    } else {
        problem
    }
}

pub(super) async fn password(
    State(app): State<App>,
    user: RequestUser,
    Fields(Change { old, new }): Fields<Change>,
) -> Result<Response, Problem> {
    let changed = app.identity.password_change(&user, &old, &new).await;
    let token = changed.map_err(|error| wrong(error.into()))?;
    let cookie = SessionCookie::holding(&app.identity, &token);
    let notice = Notice {
        title: "Your password is changed",
        message: "You were signed out everywhere else.",
    };
    Ok(([(SET_COOKIE, cookie)], Page(notice)).into_response())
}

pub(super) async fn deactivate(
    State(app): State<App>,
    user: RequestUser,
    Fields(Password { password }): Fields<Password>,
) -> Result<Response, Problem> {
    let done = app.identity.user_deactivate(&user, &password).await;
    done.map_err(|error| wrong(error.into()))?;
    let notice = Notice {
        title: "Good bye",
        message: "Your user is deactivated, and what you wrote stays where it is.",
    };
    Ok(([(SET_COOKIE, SessionCookie::cleared())], Page(notice)).into_response())
}
