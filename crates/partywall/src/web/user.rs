use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;

use super::{Problem, authenticated::authenticated};
use crate::identity::{Error, Identity, RequestUser};

impl<S> FromRequestParts<S> for RequestUser
where
    S: Send + Sync,
    Identity: FromRef<S>,
{
    type Rejection = Problem;

    /// The person whose session the request carries. 401 without one; a program's key is no person.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = authenticated(parts, state).await?;
        Ok(found.user.clone().ok_or(Error::Anonymous)?)
    }
}
