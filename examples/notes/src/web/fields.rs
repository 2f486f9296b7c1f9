//! What requests carry. By the time that it is read, the endpoint has found the row and checked who
//! asks: whoever may not do something is not told what is wrong with how they asked.

use std::sync::Arc;

use axum::{
    Form, Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::request::Parts,
};
use partywall::identity::{Authenticated, Error};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Problem, reader::Reader};
use crate::notes::NoteQuery;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

/// A form's fields.
pub(super) struct Fields<T>(pub(super) T);

/// A body as whoever asks writes it: JSON from a program, a form from a person.
pub(super) struct Input<T>(pub(super) T);

/// The part of a list in the query.
pub(super) struct Part(pub(super) NoteQuery);

/// A request that can be read more than once: for what is wanted of its body, and for the tenant that
/// it may name.
struct Kept {
    parts: Parts,
    body: Bytes,
}

/// The tenant, as far as a body says one.
#[derive(Deserialize)]
struct Named {
    tenant: Option<String>,
    tenant_id: Option<String>,
}

/// Which part of a list.
#[derive(Deserialize, IntoParams)]
pub(super) struct ListQuery {
    /// What is searched for.
    q: Option<String>,
    /// A tag, where there are any.
    tag: Option<String>,
    /// The `next` of the part before.
    after: Option<String>,
    /// How many, from 1 to 100. 20 where nothing is said.
    limit: Option<String>,
}

const LIMIT: u64 = 20;
const MOST: u64 = 100;

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kept = Kept::from_request(request, state).await?;
        let Json(body) = Json::<T>::from_request(kept.again(), state)
            .await
            .map_err(|rejection| Problem::invalid(rejection.body_text()))?;
        let named = Json::<Named>::from_request(kept.again(), state).await;
        kept.check(named.ok().map(|Json(named)| named))?;
        Ok(Self(body))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for Fields<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kept = Kept::from_request(request, state).await?;
        let Form(fields) = Form::<T>::from_request(kept.again(), state)
            .await
            .map_err(|rejection| Problem::invalid(rejection.body_text()))?;
        let named = Form::<Named>::from_request(kept.again(), state).await;
        kept.check(named.ok().map(|Form(named)| named))?;
        Ok(Self(fields))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Ok(Self(match Reader::of(request.uri()) {
            Reader::Program => Body::from_request(request, state).await?.0,
            Reader::Person => Fields::from_request(request, state).await?.0,
        }))
    }
}

impl<S: Send + Sync> FromRequest<S> for Kept {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = Bytes::from_request(Request::from_parts(parts.clone(), body), state)
            .await
            .map_err(|rejection| Problem::invalid(rejection.body_text()))?;
        Ok(Self { parts, body })
    }
}

impl Kept {
    fn again(&self) -> Request {
        Request::from_parts(self.parts.clone(), self.body.clone().into())
    }

    /// A body names the tenant that the account was found in, or none.
    fn check(&self, named: Option<Named>) -> Result<(), Problem> {
        let found = self.parts.extensions.get::<Arc<Authenticated>>();
        let Some(account) = found.and_then(|found| found.account().ok()) else {
            return Ok(());
        };
        let is_same = |text: &String| account.tenant().is_named(text);
        // What cannot be read names two, or something that is no tenant.
        let agrees =
            named.is_some_and(|named| named.tenant.iter().chain(&named.tenant_id).all(is_same));
        if agrees {
            Ok(())
        } else {
            Err(Error::TwoTenants.into())
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<ListQuery>::from_request_parts(parts, state).await {
            Ok(Query(raw)) => raw.check().map(Self),
            Err(_) => Err(Problem::invalid("the query cannot be read")),
        }
    }
}

/// Tells `null` from nothing.
pub(super) fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl ListQuery {
    fn check(self) -> Result<NoteQuery, Problem> {
        let search = given(self.q);
        let tag = given(self.tag);
        let is_odd = |text: &String| text.contains('\0') || text.len() > 1_000;
        if search.iter().chain(&tag).any(is_odd) {
            return Err(Problem::invalid(
                "`q` or `tag` is too long or holds a NUL character",
            ));
        }
        let after = given(self.after)
            .map(|after| Uuid::try_parse(&after))
            .transpose()
            .map_err(|_| Problem::invalid("`after` is not the `next` of a list"))?;
        let limit = match given(self.limit) {
            None => LIMIT,
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| Problem::invalid(format!("`limit` is a number from 1 to {MOST}")))?,
        };
        Ok(NoteQuery {
            search,
            tag,
            after,
            limit,
        })
    }
}

fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}
