use axum::{Json, extract::State};
use partywall::identity::RequestUser;
use serde_json::{Value, json};

use crate::{app::App, notes::Items, web::Problem};

/// The visitor's accounts: all my tenants.
pub(super) async fn list(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Json<Items<Value>>, Problem> {
    let accounts = app.identity.accounts(&user).await?;
    let items = accounts
        .into_iter()
        .filter(|account| !account.is_deleted)
        .map(|account| {
            json!({
                "id": account.id,
                "name": account.name,
                "tenant": {
                    "id": account.tenant_id,
                    "slug": account.slug,
                    "name": account.tenant_name,
                    "is_suspended": account.is_suspended,
                },
                "is_current": account.is_current,
            })
        })
        .collect();
    Ok(Json(Items { items, next: None }))
}
