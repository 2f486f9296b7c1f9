use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;
use sea_orm::{
    AccessMode, DbBackend, EntityTrait, FromQueryResult as _, IsolationLevel, QueryTrait as _,
    Select, TransactionTrait as _,
};
use tokio::sync::OwnedSemaphorePermit;

use super::{Format, csv::Lines};
use crate::{
    db::{Sql as _, Tx},
    web::{
        Problem,
        resource::{Actions, Context, Granted, Resource, shown::Shown},
    },
};

/// Rows that are read at once.
const BATCH: u32 = 200;

/// A list that is being written out: a cursor on one moment of the tenant's rows. What is loaded beside
/// the rows comes from the same transaction, so that one export has one connection, and no statement
/// lasts as long as its reader.
struct Rows<R: Resource> {
    actions: Arc<Actions<R>>,
    granted: Granted,
    chosen: Option<Vec<String>>,
    format: Format,
    tx: Tx,
    /// Where the columns are known: after the first row.
    lines: Option<Lines>,
    is_at_end: bool,
    _permit: OwnedSemaphorePermit,
}

/// Why an answer that has begun is cut off. Who reads it learns no more.
#[derive(Debug, thiserror::Error)]
#[error("the list cannot be read to its end")]
pub(in crate::web::resource) struct CutOff;

impl<R: Resource> Actions<R> {
    /// All rows of a query as lines, the first of them read already: what is wrong shows before the
    /// answer begins.
    pub(in crate::web::resource) async fn rows(
        self: &Arc<Self>,
        granted: &Granted,
        select: Select<R::Entity>,
        chosen: Option<Vec<String>>,
        format: Format,
        permit: OwnedSemaphorePermit,
    ) -> Result<impl Stream<Item = Result<Bytes, CutOff>> + Send + use<R>, Problem> {
        let level = Some(IsolationLevel::RepeatableRead);
        let db = granted.account().read();
        let tx = db
            .begin_with_config(level, Some(AccessMode::ReadOnly))
            .await?;
        let select = select.build(DbBackend::Postgres);
        let values = select.values.map(|values| values.0).unwrap_or_default();
        let declare = format!(
            "DECLARE partywall_export NO SCROLL CURSOR FOR {}",
            select.sql
        );
        tx.execute_sql(&declare, values).await?;
        let mut rows = Rows {
            actions: Arc::clone(self),
            granted: granted.clone(),
            chosen,
            format,
            tx,
            lines: None,
            is_at_end: false,
            _permit: permit,
        };
        let first = rows.next().await?;
        let rest = stream::try_unfold(rows, |mut rows| async move {
            match rows.next().await {
                Ok(chunk) => Ok(chunk.map(|chunk| (chunk, rows))),
                Err(problem) => {
                    tracing::warn!(code = problem.code(), "an export was cut off");
                    Err(CutOff)
                }
            }
        });
        let first = stream::iter(first.map(Ok));
        Ok(futures_util::StreamExt::chain(first, rest))
    }
}

impl<R: Resource> Rows<R> {
    /// The next lines, as many as are at hand.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.is_at_end {
            return Ok(None);
        }
        let fetch = format!("FETCH {BATCH} FROM partywall_export");
        let batch = self.tx.rows(&fetch, []).await?;
        self.is_at_end = batch.len() < usize::try_from(BATCH).unwrap_or_default();
        let rows = batch
            .iter()
            .map(|row| <R::Entity as EntityTrait>::Model::from_query_result(row, ""))
            .collect::<Result<Vec<_>, _>>()?;
        let context = Context::writing(&self.granted, &self.tx);
        let shown = self.actions.shown(&context, rows).await?;
        let shown = shown.into_iter().map(|row| match &self.chosen {
            Some(chosen) => row.only(chosen),
            None => row,
        });
        let shown: Vec<Shown> = shown.collect();
        let mut bytes = Vec::new();
        match self.format {
            Format::JsonLines => {
                for row in &shown {
                    bytes.extend(row.to_json());
                    bytes.push(b'\n');
                }
            }
            Format::Csv => {
                let lines = match self.lines.take() {
                    Some(lines) => lines,
                    None => {
                        let lines = Lines::new(self.columns(&shown));
                        bytes.extend(lines.header());
                        lines
                    }
                };
                for row in &shown {
                    bytes.extend(lines.row(row));
                }
                self.lines = Some(lines);
            }
        }
        Ok(Some(bytes.into()).filter(|bytes: &Bytes| !bytes.is_empty()))
    }

    /// The columns: those that were chosen, or else those of the first rows in their order, and those
    /// that only others may have.
    fn columns(&self, first: &[Shown]) -> Vec<String> {
        if let Some(chosen) = &self.chosen {
            return chosen.clone();
        }
        let sight = self.granted.sight();
        let all = self.actions.names().iter().map(String::as_str);
        let seen = all.filter(|name| !sight.hides(name));
        let mut columns: Vec<String> = Vec::new();
        for name in first.iter().flat_map(Shown::names).chain(seen) {
            if !columns.iter().any(|known| known == name) {
                columns.push(name.to_owned());
            }
        }
        columns
    }
}
