use axum::{Json, extract::State};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    app::App,
    identity::{SignedIn, tenant_list},
    notes::Items,
    web::Problem,
};

#[derive(Serialize)]
pub(super) struct TenantView {
    id: Uuid,
    slug: String,
    name: String,
}

pub(super) async fn list(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<Items<TenantView>>, Problem> {
    let tenants = tenant_list(&app.db, signed_in.person.id).await?;
    let items = tenants
        .into_iter()
        .map(|tenant| TenantView {
            id: tenant.id,
            slug: tenant.slug,
            name: tenant.name,
        })
        .collect();
    Ok(Json(Items { items, next: None }))
}
