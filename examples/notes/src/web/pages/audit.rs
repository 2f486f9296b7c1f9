use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use partywall::{
    identity::RequestAccount,
    web::{self, Endpoint},
};

use super::page::{Page, Top};
use crate::{
    app::App,
    notes::Items,
    web::{
        Problem,
        log::{EntryView, Wanted, entries},
        shape::html,
    },
};

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    top: Top,
    entries: Items<EntryView>,
}

pub(super) fn endpoints() -> [Endpoint<App>; 1] {
    [Endpoint::get("/t/{tenant}/audit", list)
        .named("page.audit.list")
        .require("audit.read")
        .summary("What was done in the tenant, the newest first")
        .query(web::Query::of::<Wanted>())
        .output(StatusCode::OK, html())]
}

pub(super) async fn list(
    State(app): State<App>,
    account: RequestAccount,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Page<impl Template>, Problem> {
    Ok(Page(AuditPage {
        entries: entries(&account, wanted).await?,
        top: Top::new(&account, &app),
    }))
}
