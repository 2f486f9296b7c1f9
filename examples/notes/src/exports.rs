//! All notes of a tenant as one file: wanted on a page, written by a job, fetched from the page again.
//!
//! Nothing here says which tenant it works for. The job carries that from the transaction that it was
//! enqueued in.

use chrono::{Duration, Utc};
use partywall::{
    Tx, Within as _,
    identity::{Identity, RequestAccount},
    jobs::{self, Failure, Job, JobContext, Worker, model::job},
};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    models::{export, note},
    notes::time,
};

/// Writes an export. Whoever wanted it must still be allowed to have it when it is written.
#[derive(Serialize, Deserialize)]
struct ExportNotes {
    export: Uuid,
}

impl Job for ExportNotes {
    const KIND: &'static str = "note.export";
    const ATTEMPTS: u32 = 5;
    const REQUIRES: Option<&'static str> = Some("note.export");
}

/// How an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExportState {
    Written,
    /// The job waits or runs.
    Underway,
    /// The job was given up, or taken back.
    Failed,
}

/// How long exports are kept: as long as the jobs that wrote them.
const KEPT: Duration = Duration::days(1);

/// Wants an export, in the transaction: without the commit there is neither it nor its job.
pub(crate) async fn export_start(tx: &Tx, account: &RequestAccount) -> Result<Uuid, jobs::Error> {
    let id = Uuid::now_v7();
    let job = account.enqueue(tx, &ExportNotes { export: id }).await?;
    let row = export::ActiveModel {
        id: Set(id),
        job_id: Set(job.id),
        created_at: Set(Utc::now()),
        csv: Set(None),
        ..Default::default()
    };
    row.insert(tx).await?;
    Ok(id)
}

/// How it stands, as its job says.
pub(crate) async fn export_state(
    account: &RequestAccount,
    export: &export::Model,
) -> Result<ExportState, DbErr> {
    if export.csv.is_some() {
        return Ok(ExportState::Written);
    }
    let job = job::Entity::find_by_id(export.job_id)
        .within(account.scope())
        .one(&account.read())
        .await?;
    Ok(match job.as_ref().map(|job| job.state.as_str()) {
        // It may have been done since the export was read.
        Some("scheduled" | "waiting" | "running" | "done") => ExportState::Underway,
        Some(_) | None => ExportState::Failed,
    })
}

/// What runs the example's jobs.
pub(crate) fn worker(identity: &Identity) -> Worker {
    Worker::new(identity).on(export_write)
}

async fn export_write(job: ExportNotes, context: JobContext) -> Result<(), Failure> {
    let tx = context.begin().await?;
    let notes = note::Entity::find()
        .within(context.scope())
        .order_by_asc(note::Column::Id)
        .all(&tx)
        .await?;
    // Another tenant's export is none here, and nothing is written to it.
    export::Entity::update_many()
        .col_expr(export::Column::Csv, Expr::value(csv(&notes)?))
        .filter(export::Column::Id.eq(job.export))
        .exec(&tx)
        .await?;
    export::Entity::delete_many()
        .filter(export::Column::CreatedAt.lt(Utc::now() - KEPT))
        .exec(&tx)
        .await?;
    context.commit(tx).await?;
    Ok(())
}

/// Without remarks, which not everybody sees who may export.
fn csv(notes: &[note::Model]) -> Result<String, Failure> {
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(["id", "title", "body", "author", "created_at", "updated_at"])?;
    for note in notes {
        file.write_record([
            note.id.to_string(),
            guarded(&note.title),
            guarded(&note.body),
            guarded(&note.author),
            time(note.created_at),
            time(note.updated_at),
        ])?;
    }
    Ok(String::from_utf8(file.into_inner()?)?)
}

/// A text that no spreadsheet takes for a formula (OWASP, CSV injection).
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_formula() {
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("1+1"), "1+1");
    }
}
