use axum::{Json, extract::State, http::StatusCode};
use partywall::{
    identity::{AccountInfo, RequestUser},
    web::Endpoint,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    notes::Items,
    web::{Problem, shape::json},
};

#[derive(Serialize, ToSchema)]
struct MyAccount {
    id: Uuid,
    name: String,
    tenant: TenantOfAccount,
    is_current: bool,
}

#[derive(Serialize, ToSchema)]
struct TenantOfAccount {
    id: Uuid,
    slug: String,
    name: String,
    is_suspended: bool,
}

impl From<AccountInfo> for MyAccount {
    fn from(account: AccountInfo) -> Self {
        Self {
            id: account.id,
            name: account.name,
            tenant: TenantOfAccount {
                id: account.tenant_id,
                slug: account.slug,
                name: account.tenant_name,
                is_suspended: account.is_suspended,
            },
            is_current: account.is_current,
        }
    }
}

pub(super) fn endpoints() -> [Endpoint<App>; 1] {
    [Endpoint::get("/accounts", list)
        .named("account.list")
        .signed_in()
        .summary("The visitor's accounts: all their tenants")
        .output(StatusCode::OK, json::<Items<MyAccount>>())]
}

async fn list(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Json<Items<MyAccount>>, Problem> {
    let accounts = app.identity.accounts(&user).await?;
    let items = accounts
        .into_iter()
        .filter(|account| !account.is_deleted)
        .map(MyAccount::from)
        .collect();
    Ok(Json(Items { items, next: None }))
}
