use axum::{
    Json,
    body::Body as Bytes,
    extract::{Path, State},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use partywall::{
    identity::{Authenticated, RequestAccount, RequestUser, TenantChange, TenantInfo},
    web::{self, Endpoint},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    notes::Items,
    policies::Policies,
    web::{
        Problem,
        fields::{Body, nullable},
        shape::json,
    },
};

#[derive(Serialize, ToSchema)]
pub(super) struct MyTenant {
    id: Uuid,
    slug: String,
    name: String,
    /// The visitor's account in it.
    account: Uuid,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct TenantView {
    id: Uuid,
    slug: String,
    name: String,
    seats: Option<i32>,
    /// The visitor's account in it, where they have one.
    account: Option<Uuid>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewTenant {
    name: String,
    slug: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = TenantChange)]
pub(super) struct Change {
    name: Option<String>,
    slug: Option<String>,
    /// `null` for any number.
    #[serde(default, deserialize_with = "nullable")]
    seats: Option<Option<i32>>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Restore {
    slug: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Transfer {
    account: Uuid,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Suspension {
    id: Uuid,
    suspended: bool,
}

pub(super) fn endpoints(policies: &Policies) -> Vec<Endpoint<App>> {
    let tenant = "/tenants/{tenant}";
    vec![
        Endpoint::get("/tenants", list)
            .named("tenant.list")
            .signed_in()
            .summary("The visitor's tenants")
            .output(StatusCode::OK, json::<Items<MyTenant>>()),
        Endpoint::post("/tenants", add)
            .named("tenant.create")
            .signed_in()
            .summary("Makes a tenant, whose owner the visitor is")
            .input(json::<NewTenant>())
            .output(StatusCode::CREATED, json::<TenantView>()),
        Endpoint::get(tenant, show)
            .named("tenant.retrieve")
            .policy(policies.inside.clone())
            .summary("The tenant, and the visitor's account in it")
            .output(StatusCode::OK, json::<TenantView>()),
        Endpoint::patch(tenant, change)
            .named("tenant.update")
            .require("tenant.update")
            .summary("Changes the tenant's name, slug or seats")
            .input(json::<Change>())
            .output(StatusCode::OK, json::<TenantView>()),
        Endpoint::delete(tenant, remove)
            .named("tenant.delete")
            .require("tenant.delete")
            .summary("Deletes the tenant; until its time of grace is over it can be brought back")
            .answers(StatusCode::NO_CONTENT),
        Endpoint::post("/tenants/{tenant}/restore", restore)
            .named("tenant.restore")
            .require("tenant.delete")
            .of_closed_tenant()
            .summary("Brings a deleted tenant back")
            .input(json::<Restore>())
            .answers(StatusCode::NO_CONTENT),
        Endpoint::get("/tenants/{tenant}/export", export)
            .named("tenant.export")
            .require("tenant.export")
            .summary("All that the tenant has, as lines of JSON")
            .output(
                StatusCode::OK,
                web::Body::of::<String>("application/x-ndjson"),
            ),
        Endpoint::post("/tenants/{tenant}/transfer", transfer)
            .named("tenant.transfer")
            .require("tenant.transfer")
            .summary("Hands the tenant over to another member")
            .input(json::<Transfer>())
            .answers(StatusCode::NO_CONTENT),
        Endpoint::post("/staff/tenants/{customer}/suspend", suspend)
            .named("tenant.suspend")
            .signed_in()
            .summary("Keeps a tenant's members out; for the staff, and for others there is nothing")
            .output(StatusCode::OK, json::<Suspension>()),
        Endpoint::post("/staff/tenants/{customer}/resume", resume)
            .named("tenant.resume")
            .signed_in()
            .summary("Lets them in again; for the staff, and for others there is nothing")
            .output(StatusCode::OK, json::<Suspension>()),
    ]
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
    Body(new): Body<NewTenant>,
) -> Result<(StatusCode, Json<TenantView>), Problem> {
    let account = user.tenant_create(&new.name, &new.slug).await?;
    let tenant = account.tenant().clone();
    Ok((StatusCode::CREATED, view(tenant, &account)))
}

pub(super) async fn show(account: RequestAccount) -> Json<TenantView> {
    view(account.tenant().clone(), &account)
}

pub(super) async fn change(
    account: RequestAccount,
    Body(body): Body<Change>,
) -> Result<Json<TenantView>, Problem> {
    let Change { name, slug, seats } = body;
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
    Body(body): Body<Restore>,
) -> Result<StatusCode, Problem> {
    found.tenant_restore(&body.slug).await?;
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
    Body(body): Body<Transfer>,
) -> Result<StatusCode, Problem> {
    account.transfer(body.account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// By a member of the staff: for everybody else there is nothing here.
pub(super) async fn suspend(
    user: RequestUser,
    Path(tenant): Path<Uuid>,
) -> Result<Json<Suspension>, Problem> {
    user.tenant_suspend(tenant).await?;
    Ok(Json(Suspension {
        id: tenant,
        suspended: true,
    }))
}

pub(super) async fn resume(
    user: RequestUser,
    Path(tenant): Path<Uuid>,
) -> Result<Json<Suspension>, Problem> {
    user.tenant_resume(tenant).await?;
    Ok(Json(Suspension {
        id: tenant,
        suspended: false,
    }))
}
