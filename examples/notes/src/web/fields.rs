//! What requests carry.
//!
//! Bodies and queries are read by the handler, when it has found the row and checked the permission:
//! whoever may not do something is not told what is wrong with how they asked.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Form, Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::request::Parts,
};
use partywall::identity::{Authenticated, Error};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{Problem, path_id::id_in_path};
use crate::notes::NoteQuery;

/// A JSON body.
pub(super) struct Body<T>(Result<T, Problem>);

/// A form's fields.
pub(super) struct Fields<T>(Result<T, Problem>);

/// The part of a list in the query.
pub(super) struct Part(Result<NoteQuery, Problem>);

/// The note in the path; what is no id, or not in its one canonical form, is no note.
#[derive(Clone, Copy)]
pub(super) struct NoteId(pub(super) Uuid);

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

#[derive(Deserialize)]
struct Raw {
    q: Option<String>,
    tag: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

const LIMIT: u64 = 20;
const MOST: u64 = 100;

impl<T> Body<T> {
    pub(super) fn read(self) -> Result<T, Problem> {
        self.0
    }
}

impl<T> Fields<T> {
    pub(super) fn read(self) -> Result<T, Problem> {
        self.0
    }
}

impl Part {
    pub(super) fn read(self) -> Result<NoteQuery, Problem> {
        self.0
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for Body<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let read = async {
            let kept = Kept::from_request(request, state).await?;
            let Json(body) = Json::<T>::from_request(kept.again(), state)
                .await
                .map_err(|rejection| Problem::invalid(rejection.body_text()))?;
            let named = Json::<Named>::from_request(kept.again(), state).await;
            kept.check(named.ok().map(|Json(named)| named))?;
            Ok(body)
        };
        Ok(Self(read.await))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for Fields<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let read = async {
            let kept = Kept::from_request(request, state).await?;
            let Form(fields) = Form::<T>::from_request(kept.again(), state)
                .await
                .map_err(|rejection| Problem::invalid(rejection.body_text()))?;
            let named = Form::<Named>::from_request(kept.again(), state).await;
            kept.check(named.ok().map(|Form(named)| named))?;
            Ok(fields)
        };
        Ok(Self(read.await))
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

impl<S: Send + Sync> FromRequestParts<S> for NoteId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id_in_path(parts, state, "note").await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let read = Query::<Raw>::from_request_parts(parts, state).await;
        Ok(Self(match read {
            Ok(Query(raw)) => raw.check(),
            Err(_) => Err(Problem::invalid("the query cannot be read")),
        }))
    }
}

impl Raw {
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
