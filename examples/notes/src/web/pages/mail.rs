//! In development, mail is read here.

use askama::Template;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::ACCEPT},
    response::{IntoResponse as _, Response},
};
use partywall::{identity::SentMail, web::Endpoint};

use super::page::Page;
use crate::{
    app::App,
    notes::{Items, time},
    web::{NO_STORE, Problem, shape::html},
};

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    mails: Vec<SentMail>,
}

impl MailPage {
    fn at(&self, mail: &SentMail) -> String {
        time(mail.at)
    }

    fn is_link(&self, line: &str) -> bool {
        line.starts_with("http://") || line.starts_with("https://")
    }
}

pub(super) fn endpoints() -> [Endpoint<App>; 1] {
    [
        Endpoint::get("/dev/mail", list)
            .named("page.mail.list")
            .public("for development: it is there where mail goes to a folder of this machine, and nowhere else")
            .summary("The mail that was sent, the newest first")
            .output(StatusCode::OK, html()),
    ]
}

/// The newest first, with what waits sent before.
pub(super) async fn list(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    app.identity.mail_send_due(&app.mailer).await?;
    let mails = app.mailer.sent().await?;
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains("application/json")) {
        let list = Items {
            items: mails,
            next: None,
        };
        return Ok((NO_STORE, Json(list)).into_response());
    }
    Ok((NO_STORE, Page(MailPage { mails })).into_response())
}
