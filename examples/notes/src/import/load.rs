use std::io::IsTerminal as _;

use csv::StringRecord;
use partywall::{Db, Scope, TENANT, Tx, identity::model::tenant};
use sea_orm::EntityTrait as _;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Import, ImportError,
    columns::Columns,
    source::{self, Decoded, UNDECODABLE},
};
use crate::{
    database::Database,
    notes::{Draft, note_add_many},
};

/// Notes in one statement: six parameters each, of the 65,535 that there may be.
const BATCH: usize = 1_000;
const AUTHOR: &str = "Import";

/// What the reader found.
#[derive(Default)]
struct Found {
    records: u64,
    bad: u64,
}

impl Import {
    /// Loads the file into the tenant, in one transaction.
    ///
    /// Bad records are reported on standard error, each with the line it begins on.
    ///
    /// # Errors
    ///
    /// [`ImportError`]; nothing was loaded then.
    pub async fn load(self, database: &Database) -> Result<u64, ImportError> {
        let scope = Scope::trusted([TENANT.is(self.find_tenant(database.db()).await?)]);
        let (batches, incoming) = mpsc::channel(2);
        let reader = tokio::task::spawn_blocking(move || self.read(&batches));
        let tx = database.db().begin(&scope).await?;
        let loaded = insert(&tx, incoming).await;
        let found = reader.await?;
        let loaded = loaded?;
        let found = found?;
        if found.bad > 0 {
            tx.rollback().await?;
            return Err(ImportError::BadLines {
                bad: found.bad,
                all: found.records,
            });
        }
        tx.commit().await?;
        Ok(loaded)
    }

    /// A command line has no membership to check: whoever runs it owns the data.
    async fn find_tenant(&self, db: &Db) -> Result<Uuid, ImportError> {
        let across = db
            .across("an import looks its tenant up by the slug")
            .await?;
        let tenants = tenant::Entity::find().all(&across).await?;
        let found = tenants.iter().find(|tenant| tenant.slug == self.tenant);
        found.map(|tenant| tenant.id).ok_or_else(|| {
            let known: Vec<_> = tenants
                .iter()
                .map(|tenant| format!("`{}`", tenant.slug))
                .collect();
            ImportError::UnknownTenant {
                wanted: self.tenant.clone(),
                known: known.join(", "),
            }
        })
    }

    /// Reads to the end of the file, so that all that is bad is reported at once.
    fn read(self, batches: &mpsc::Sender<Vec<Draft>>) -> Result<Found, ImportError> {
        let mut decoded = Decoded::new(source::open(&self.path)?, self.encoding);
        let delimiter = decoded.delimiter().map_err(csv::Error::from)?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(decoded);
        let columns = Columns::find(reader.headers()?, &self.title, &self.body)?;
        let mut found = Found::default();
        let mut batch = Vec::with_capacity(BATCH);
        let mut record = StringRecord::new();
        while reader.read_record(&mut record)? {
            found.records += 1;
            match draft(&record, &columns, self.encoding.name()) {
                Ok(draft) => batch.push(draft),
                Err(problem) => {
                    found.bad += 1;
                    eprintln!(
                        "line {}: {problem}",
                        first_line(reader.position().line(), &record)
                    );
                }
            }
            if found.bad > 0 {
                batch.clear();
            }
            if batch.len() == BATCH && batches.blocking_send(std::mem::take(&mut batch)).is_err() {
                // The database has failed, and says why.
                break;
            }
            if found.records.is_multiple_of(10_000) {
                progress(found.records);
            }
        }
        if !batch.is_empty() {
            let _ = batches.blocking_send(batch);
        }
        Ok(found)
    }
}

async fn insert(tx: &Tx, mut incoming: mpsc::Receiver<Vec<Draft>>) -> Result<u64, ImportError> {
    let mut loaded = 0;
    while let Some(batch) = incoming.recv().await {
        loaded += note_add_many(tx, AUTHOR, batch).await?;
    }
    Ok(loaded)
}

fn draft(record: &StringRecord, columns: &Columns, encoding: &str) -> Result<Draft, String> {
    if record.len() != columns.all {
        return Err(format!(
            "{} columns instead of {}",
            record.len(),
            columns.all
        ));
    }
    if record.iter().any(|field| field.contains(UNDECODABLE)) {
        return Err(format!(
            "holds bytes that are not {encoding}: name another with --encoding"
        ));
    }
    let field = |column| record.get(column).unwrap_or_default();
    Draft::new(field(columns.title), field(columns.body), &[])
        .map_err(|problem| problem.detail().to_owned())
}

/// The line that a record begins on, from the one behind it: blank lines before it do not count,
/// and those inside its quotes do.
fn first_line(behind: u64, record: &StringRecord) -> u64 {
    let inside: usize = record.iter().map(|field| field.matches('\n').count()).sum();
    behind
        .saturating_sub(1)
        .saturating_sub(u64::try_from(inside).unwrap_or_default())
}

fn progress(records: u64) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{records} records read");
    } else {
        eprintln!("{records} records read");
    }
}
