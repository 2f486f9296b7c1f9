use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use uuid::Uuid;

use super::Problem;

/// The `{id}` in the path; what is no id, or not in its one canonical form, is nothing's.
#[derive(Clone, Copy)]
pub(super) struct PathId(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id_in_path(parts, state, "id").await.map(Self)
    }
}

/// The id that a parameter of the path holds.
pub(super) async fn id_in_path<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    parameter: &str,
) -> Result<Uuid, Problem> {
    let path = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Problem::not_found())?;
    path.iter()
        .find(|(name, _)| *name == parameter)
        .and_then(|(_, text)| {
            let id = Uuid::try_parse(text).ok();
            id.filter(|id| id.to_string() == text)
        })
        .ok_or_else(Problem::not_found)
}
