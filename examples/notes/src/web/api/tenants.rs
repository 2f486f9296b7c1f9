use axum::{
    Json,
    body::Body as Bytes,
    extract::{Query, State},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use partywall::identity::{Authenticated, RequestAccount, RequestUser, TenantChange, TenantInfo};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::members::MemberView;
use crate::{
    app::App,
    notes::Items,
    web::{Problem, fields::Body, path_id::PathId},
};

#[derive(Serialize)]
pub(super) struct MyTenant {
    id: Uuid,
    slug: String,
    name: String,
    /// The visitor's account in it.
    account: Uuid,
}

#[derive(Serialize)]
pub(super) struct TenantView {
    id: Uuid,
    slug: String,
    name: String,
    seats: Option<i32>,
    /// The visitor's account in it, where they have one.
    account: Option<Uuid>,
}

#[derive(Deserialize)]
pub(super) struct NewTenant {
    name: String,
    slug: String,
}

#[derive(Deserialize)]
pub(super) struct Change {
    name: Option<String>,
    slug: Option<String>,
    /// `null` for any number.
    #[serde(default, deserialize_with = "given")]
    seats: Option<Option<i32>>,
}

#[derive(Deserialize)]
pub(super) struct Restore {
    slug: String,
}

#[derive(Deserialize)]
pub(super) struct Transfer {
    account: Uuid,
}

#[derive(Deserialize)]
pub(super) struct Who {
    permission: String,
}

/// Tells `null` from nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn view(tenant: TenantInfo, account: &RequestAccount) -> Json<TenantView> {
    Json(TenantView {
        id: tenant.id,
        slug: tenant.slug,
        name: tenant.name,
        seats: tenant.seats,
        account: account.id(),
    })
}

pub(super) async fn list(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Json<Items<MyTenant>>, Problem> {
    let accounts = app.identity.accounts(&user).await?;
    let items = accounts
        .into_iter()
        .filter(|account| !account.is_deleted)
        .map(|account| MyTenant {
            id: account.tenant_id,
            slug: account.slug,
            name: account.tenant_name,
            account: account.id,
        })
        .collect();
    Ok(Json(Items { items, next: None }))
}

pub(super) async fn add(
    user: RequestUser,
    body: Body<NewTenant>,
) -> Result<(StatusCode, Json<TenantView>), Problem> {
    let new = body.read()?;
    let account = user.tenant_create(&new.name, &new.slug).await?;
    let tenant = account.tenant().clone();
    Ok((StatusCode::CREATED, view(tenant, &account)))
}

pub(super) async fn show(account: RequestAccount) -> Json<TenantView> {
    view(account.tenant().clone(), &account)
}

pub(super) async fn change(
    account: RequestAccount,
    body: Body<Change>,
) -> Result<Json<TenantView>, Problem> {
    account.require("tenant.update")?;
    let Change { name, slug, seats } = body.read()?;
    let tenant = account
        .tenant_change(TenantChange { name, slug, seats })
        .await?;
    Ok(view(tenant, &account))
}

pub(super) async fn remove(account: RequestAccount) -> Result<StatusCode, Problem> {
    account.tenant_delete().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where a deleted tenant is still, its id leads to it and its slug is somebody else's.
pub(super) async fn restore(
    found: Authenticated,
    body: Body<Restore>,
) -> Result<StatusCode, Problem> {
    found.tenant_restorable()?;
    found.tenant_restore(&body.read()?.slug).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn export(account: RequestAccount) -> Result<Response, Problem> {
    let file = account.tenant_export().await?;
    // A slug has nothing that would have to be quoted.
    let name = format!("attachment; filename=\"{}.jsonl\"", account.tenant().slug);
    let name = HeaderValue::try_from(name).map_err(|_| Problem::internal())?;
    let kind = HeaderValue::from_static("application/x-ndjson");
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name)];
    Ok((headers, Bytes::from_stream(file)).into_response())
}

pub(super) async fn transfer(
    account: RequestAccount,
    body: Body<Transfer>,
) -> Result<StatusCode, Problem> {
    account.require("tenant.transfer")?;
    account.transfer(body.read()?.account).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn leave(account: RequestAccount) -> Result<StatusCode, Problem> {
    account.leave().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who may do something.
pub(super) async fn who(
    account: RequestAccount,
    query: Result<Query<Who>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Items<MemberView>>, Problem> {
    account.require("member.read")?;
    let Query(who) = query.map_err(|_| Problem::invalid("`permission` is missing"))?;
    let members = account.members_with(&who.permission).await?;
    let items = members.into_iter().map(MemberView::from).collect();
    Ok(Json(Items { items, next: None }))
}

/// By a member of the staff: for everybody else there is nothing here.
pub(super) async fn suspend(
    user: RequestUser,
    PathId(tenant): PathId,
) -> Result<Json<Value>, Problem> {
    user.tenant_suspend(tenant).await?;
    Ok(Json(json!({ "id": tenant, "suspended": true })))
}

pub(super) async fn resume(
    user: RequestUser,
    PathId(tenant): PathId,
) -> Result<Json<Value>, Problem> {
    user.tenant_resume(tenant).await?;
    Ok(Json(json!({ "id": tenant, "suspended": false })))
}
