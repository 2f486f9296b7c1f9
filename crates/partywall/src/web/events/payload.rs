use std::fmt;

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::EntityTrait;
use serde::Serialize;
use serde_json::Value;

use crate::db::{RowChange, ScopedDb};

type Read = Box<dyn Fn(ScopedDb, RowChange) -> BoxFuture<'static, Option<Value>> + Send + Sync>;

/// What reads the rows that are told of, by the entity.
#[derive(Default)]
pub(super) struct Readers(Vec<Reader>);

struct Reader {
    is_for: fn(&RowChange) -> bool,
    read: Read,
}

impl Readers {
    pub(super) fn add<E, F, R, T, X>(&mut self, read: F)
    where
        E: EntityTrait,
        F: Fn(ScopedDb, RowChange) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<T>, X>> + Send + 'static,
        T: Serialize,
        X: fmt::Display,
    {
        let read: Read = Box::new(move |db, change| {
            let reading = read(db, change);
            async move {
                match reading.await {
                    Ok(row) => serde_json::to_value(row?).map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                }
                .inspect_err(|error| tracing::warn!(error, "a row is told without its content"))
                .ok()
            }
            .boxed()
        });
        let is_for = RowChange::is_of::<E>;
        self.0.push(Reader { is_for, read });
    }

    /// What is told of a row besides its key.
    pub(super) async fn read(&self, db: ScopedDb, change: &RowChange) -> Option<Value> {
        let reader = self.0.iter().find(|reader| (reader.is_for)(change))?;
        (reader.read)(db, change.clone()).await
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
