use axum::{Json, extract::State};
use partywall::identity::RequestUser;
use serde::Serialize;
use uuid::Uuid;

use crate::{app::App, notes::Items, web::Problem};

#[derive(Serialize)]
pub(super) struct TenantView {
    id: Uuid,
    slug: String,
    name: String,
    /// The visitor's account in it.
    account: Uuid,
}

pub(super) async fn list(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Json<Items<TenantView>>, Problem> {
    let accounts = app.identity.accounts(&user).await?;
    let items = accounts
        .into_iter()
        .filter(|account| !account.is_deleted)
        .map(|account| TenantView {
            id: account.tenant_id,
            slug: account.slug,
            name: account.tenant_name,
            account: account.id,
        })
        .collect();
    Ok(Json(Items { items, next: None }))
}
