use askama::Template;
use axum::extract::{Query, State, rejection::QueryRejection};
use partywall::identity::RequestAccount;

use super::page::{Page, Top};
use crate::{
    app::App,
    notes::Items,
    web::{
        Problem,
        log::{EntryView, Wanted, entries},
    },
};

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    top: Top,
    entries: Items<EntryView>,
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
