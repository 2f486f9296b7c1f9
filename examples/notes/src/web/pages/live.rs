//! What pages listen to, to show what others change.

use axum::{
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use partywall::{
    identity::RequestAccount,
    web::{Body, Endpoint},
};

use crate::{
    app::App,
    models::{comment, export, note, note_tag, tag},
    web::Problem,
};

pub(super) fn endpoints() -> [Endpoint<App>; 1] {
    let stream = Body::of::<String>("text/event-stream");
    [Endpoint::get("/t/{tenant}/events", events)
        .named("page.events")
        .require("note.read")
        .summary("What others change, as it happens")
        .output(StatusCode::OK, stream)]
}

/// Ids only: what is in the rows is read by the pages, as ever.
async fn events(account: RequestAccount, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    let events = account.events("note.read").of::<note::Entity>();
    let events = events.of::<note_tag::Entity>().of::<tag::Entity>();
    let events = match account.has("comment.read") {
        true => events.of::<comment::Entity>(),
        false => events,
    };
    let events = match account.has("note.export") {
        true => events.of::<export::Entity>(),
        false => events,
    };
    events.after(&headers).open().await
}
