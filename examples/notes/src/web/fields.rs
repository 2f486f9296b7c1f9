//! What requests carry.
//!
//! Bodies and queries are read by the handler, when it has found the row and checked the permission:
//! whoever may not do something is not told what is wrong with how they asked.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, MatchedPath, Query, RawPathParams, Request},
    http::request::Parts,
};
use partywall::identity::{Authenticated, Error, TenantInfo};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use super::Problem;
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

/// The session in the path; the same holds.
#[derive(Clone, Copy)]
pub(super) struct SessionId(pub(super) Uuid);

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

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let tenant = selected(&request);
        let read = Json::<Value>::from_request(request, state).await;
        let read = read.map_err(|rejection| Problem::invalid(rejection.body_text()));
        Ok(Self(read.and_then(|Json(body)| {
            check_selectors(&body, tenant.as_ref())?;
            serde_json::from_value(body).map_err(|error| Problem::invalid(error.to_string()))
        })))
    }
}

/// The tenant that the path selects, for whoever is in it.
fn selected(request: &Request) -> Option<TenantInfo> {
    let path = request.extensions().get::<MatchedPath>()?;
    let found = request.extensions().get::<Arc<Authenticated>>()?;
    let account = found.account().ok()?;
    let tenant = account.tenant().clone();
    path.as_str().contains("{tenant}").then_some(tenant)
}

/// Where a body names a tenant as well, it is the path's.
fn check_selectors(body: &Value, tenant: Option<&TenantInfo>) -> Result<(), Problem> {
    let Some(tenant) = tenant else {
        return Ok(());
    };
    let is_other = |name: &str| {
        body.get(name)
            .is_some_and(|named| *named != tenant.slug && *named != tenant.id.to_string())
    };
    if is_other("tenant") || is_other("tenant_id") {
        return Err(Error::TwoTenants.into());
    }
    Ok(())
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Fields<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let read = axum::Form::from_request(request, state).await;
        let told = |axum::Form(fields)| fields;
        Ok(Self(read.map(told).map_err(|rejection| {
            Problem::invalid(rejection.body_text())
        })))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NoteId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id_in_path(parts, state, "note").await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id_in_path(parts, state, "session").await.map(Self)
    }
}

async fn id_in_path<S: Send + Sync>(
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
