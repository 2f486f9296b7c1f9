use axum::{
    Json,
    extract::{Query, rejection::QueryRejection},
};
use partywall::identity::RequestAccount;

use crate::{
    notes::Items,
    web::{
        Problem,
        log::{EntryView, Wanted, entries},
    },
};

pub(super) async fn list(
    account: RequestAccount,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Items<EntryView>>, Problem> {
    Ok(Json(entries(&account, wanted).await?))
}
