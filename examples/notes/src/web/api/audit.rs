use axum::{
    Json,
    extract::{Query, rejection::QueryRejection},
    http::StatusCode,
};
use partywall::{
    identity::RequestAccount,
    web::{self, Endpoint},
};

use crate::{
    app::App,
    notes::Items,
    web::{
        Problem,
        log::{EntryView, Wanted, entries},
        shape::json,
    },
};

pub(super) fn endpoints() -> [Endpoint<App>; 1] {
    [Endpoint::get("/tenants/{tenant}/audit", list)
        .named("audit.list")
        .require("audit.read")
        .summary("What was done in the tenant, the newest first")
        .query(web::Query::of::<Wanted>())
        .output(StatusCode::OK, json::<Items<EntryView>>())]
}

pub(super) async fn list(
    account: RequestAccount,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Items<EntryView>>, Problem> {
    Ok(Json(entries(&account, wanted).await?))
}
