use axum::{Json, http::StatusCode};
use chrono::{DateTime, Utc};
use partywall::identity::{NewKey, RequestAccount, model::api_key};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    notes::{Items, time},
    web::{Problem, fields::Body, path_id::PathId},
};

#[derive(Serialize)]
pub(super) struct KeyView {
    id: Uuid,
    name: String,
    hint: String,
    permissions: Vec<String>,
    /// None for the tenant's own.
    account: Option<Uuid>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    /// Once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl From<api_key::Model> for KeyView {
    fn from(key: api_key::Model) -> Self {
        Self {
            id: key.id,
            name: key.name,
            hint: key.hint,
            permissions: key.permissions,
            account: key.account_id,
            created_at: time(key.created_at),
            expires_at: key.expires_at.map(time),
            last_used_at: key.last_used_at.map(time),
            key: None,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    name: String,
    permissions: Vec<String>,
    /// RFC 3339.
    expires_at: Option<String>,
    /// The tenant's own, rather than the account's.
    #[serde(default)]
    service: bool,
}

pub(super) async fn list(account: RequestAccount) -> Result<Json<Items<KeyView>>, Problem> {
    let keys = account.key_list().await?;
    let items = keys.into_iter().map(KeyView::from).collect();
    Ok(Json(Items { items, next: None }))
}

pub(super) async fn add(
    account: RequestAccount,
    body: Body<Wanted>,
) -> Result<(StatusCode, Json<KeyView>), Problem> {
    account.require("key.write")?;
    let wanted = body.read()?;
    let moment = |text: String| DateTime::parse_from_rfc3339(&text);
    let expires_at = wanted.expires_at.map(moment).transpose();
    let expires_at = expires_at
        .map_err(|_| Problem::invalid("`expires_at` is not a time in the form of RFC 3339"))?;
    let new = NewKey {
        name: wanted.name,
        permissions: wanted.permissions,
        expires_at: expires_at.map(|at| at.with_timezone(&Utc)),
        is_service: wanted.service,
    };
    let (model, key) = account.key_create(new).await?;
    let view = KeyView {
        key: Some(key.expose()),
        ..KeyView::from(model)
    };
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn remove(
    account: RequestAccount,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    account.key_revoke(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
