//! What requests carry, each with a refusal of ours.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use super::Problem;
use crate::notes::NoteQuery;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

/// A form's fields.
pub(super) struct Fields<T>(pub(super) T);

/// The note in the path; what is no id is no note.
pub(super) struct NoteId(pub(super) Uuid);

/// The part of a list in the query.
pub(super) struct Part(pub(super) NoteQuery);

#[derive(Deserialize)]
struct Raw {
    q: Option<String>,
    tag: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

const LIMIT: u64 = 20;
const MOST: u64 = 100;

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(Problem::invalid(rejection.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Fields<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Form::from_request(request, state).await {
            Ok(axum::Form(fields)) => Ok(Self(fields)),
            Err(rejection) => Err(Problem::invalid(rejection.body_text())),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NoteId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::NotFound)?;
        path.iter()
            .find(|(name, _)| *name == "note")
            .and_then(|(_, id)| Uuid::try_parse(id).ok())
            .map(Self)
            .ok_or(Problem::NotFound)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(raw) = Query::<Raw>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::invalid("the query cannot be read"))?;
        let search = given(raw.q);
        let tag = given(raw.tag);
        if search
            .iter()
            .chain(&tag)
            .any(|text| text.contains('\0') || text.len() > 1_000)
        {
            return Err(Problem::invalid(
                "`q` or `tag` is too long or holds a NUL character",
            ));
        }
        let after = given(raw.after)
            .map(|after| Uuid::try_parse(&after))
            .transpose()
            .map_err(|_| Problem::invalid("`after` is not the `next` of a list"))?;
        let limit = match given(raw.limit) {
            None => LIMIT,
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| Problem::invalid(format!("`limit` is a number from 1 to {MOST}")))?,
        };
        Ok(Self(NoteQuery {
            search,
            tag,
            after,
            limit,
        }))
    }
}

fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}
