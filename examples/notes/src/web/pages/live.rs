//! What pages listen to, to show what others change.

use axum::{http::HeaderMap, response::IntoResponse};
use partywall::identity::RequestAccount;

use crate::{
    models::{comment, note, note_tag, tag},
    web::Problem,
};

/// Ids only: what is in the rows is read by the pages, as ever.
pub(super) async fn events(
    account: RequestAccount,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let events = account.events("note.read").of::<note::Entity>();
    let events = events.of::<note_tag::Entity>().of::<tag::Entity>();
    let events = match account.has("comment.read") {
        true => events.of::<comment::Entity>(),
        false => events,
    };
    events.after(&headers).open().await
}
