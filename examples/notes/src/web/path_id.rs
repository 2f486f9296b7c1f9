use axum::{extract::FromRequestParts, http::request::Parts};
use uuid::Uuid;

use super::{Problem, fields::id_in_path};

/// The `{id}` in the path; what is no id, or not in its one canonical form, is nothing's.
#[derive(Clone, Copy)]
pub(super) struct PathId(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id_in_path(parts, state, "id").await.map(Self)
    }
}
