use axum::{Json, http::StatusCode, response::IntoResponse};
use chrono::{DateTime, Utc};
use partywall::{
    identity::{NewKey, RequestAccount, model::api_key},
    web::{Endpoint, Found},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    notes::{Items, time},
    policies::Policies,
    web::{NO_STORE, Problem, fields::Body, parameters::KeyId, shape::json},
};

#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
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

#[derive(Deserialize, ToSchema)]
#[schema(as = NewKey)]
pub(super) struct Wanted {
    name: String,
    permissions: Vec<String>,
    /// RFC 3339.
    expires_at: Option<String>,
    /// The tenant's own, rather than the account's.
    #[serde(default)]
    service: bool,
}

pub(super) fn endpoints(policies: &Policies) -> [Endpoint<App>; 3] {
    [
        Endpoint::get("/tenants/{tenant}/api-keys", list)
            .named("key.list")
            .policy(policies.keys.clone())
            .summary("The keys of programs: one's own, or all with `key.read`")
            .output(StatusCode::OK, json::<Items<KeyView>>()),
        Endpoint::post("/tenants/{tenant}/api-keys", add)
            .named("key.create")
            .require("key.write")
            .summary("Makes a key, which is shown this once")
            .input(json::<Wanted>())
            .output(StatusCode::CREATED, json::<KeyView>()),
        Endpoint::delete("/tenants/{tenant}/api-keys/{key}", remove)
            .named("key.delete")
            .policy(policies.keys.clone())
            .summary("Takes a key back: one's own, or any with `key.write`")
            .answers(StatusCode::NO_CONTENT),
    ]
}

pub(super) async fn list(account: RequestAccount) -> Result<Json<Items<KeyView>>, Problem> {
    let keys = account.key_list().await?;
    let items = keys.into_iter().map(KeyView::from).collect();
    Ok(Json(Items { items, next: None }))
}

pub(super) async fn add(
    account: RequestAccount,
    Body(wanted): Body<Wanted>,
) -> Result<impl IntoResponse, Problem> {
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
    Ok((StatusCode::CREATED, NO_STORE, Json(view)))
}

pub(super) async fn remove(
    account: RequestAccount,
    Found(KeyId(id)): Found<KeyId>,
) -> Result<StatusCode, Problem> {
    account.key_revoke(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
