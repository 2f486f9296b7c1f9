use axum::{
    extract::MatchedPath,
    http::{StatusCode, header::ALLOW},
    response::Response,
};
use partywall::identity::RequestAccount;

use super::{Problem, fields::NoteId};
use crate::notes::note_find;

/// Answers a method that an address does not have. Who may not know that something is there is not
/// told what can be done to it.
pub(super) async fn not_allowed(
    path: MatchedPath,
    account: Result<RequestAccount, Problem>,
    note: Result<NoteId, Problem>,
) -> Problem {
    match refusal(path.as_str(), account, note).await {
        Ok(()) => Problem::method_not_allowed(),
        Err(problem) => problem,
    }
}

async fn refusal(
    path: &str,
    account: Result<RequestAccount, Problem>,
    note: Result<NoteId, Problem>,
) -> Result<(), Problem> {
    if path.contains("{tenant}") {
        let account = account?;
        if path.contains("{note}") {
            let NoteId(note) = note?;
            note_find(&account.read(), note).await?;
        }
    }
    Ok(())
}

/// `Allow` goes with 405 and with nothing else: the router adds it to whatever answers in its place.
pub(super) async fn hide(mut response: Response) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().remove(ALLOW);
    }
    response
}
