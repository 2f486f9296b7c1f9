use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, ProxyExecResult, QueryResult, Statement, Value,
};

use crate::db::{Error, ErrorKind, ScopedDb, Sql as _, Tx};

/// Where an action's statements run: the tenant's rows for reading, or the transaction of a write.
///
/// All of SeaORM runs on it. It remembers what the last constraint was that the database found
/// violated, which SeaORM's own errors do not say.
#[derive(Debug)]
pub struct Connection<'a> {
    on: On<'a>,
    violated: Mutex<Option<Violated>>,
}

#[derive(Debug)]
enum On<'a> {
    Reading(ScopedDb),
    Writing(&'a Tx),
}

/// What a statement was at odds with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violated {
    pub(super) kind: ErrorKind,
    pub(super) constraint: Option<String>,
    pub(super) column: Option<String>,
}

impl<'a> Connection<'a> {
    pub(super) fn reading(db: ScopedDb) -> Self {
        Self::new(On::Reading(db))
    }

    pub(super) fn writing(tx: &'a Tx) -> Self {
        Self::new(On::Writing(tx))
    }

    fn new(on: On<'a>) -> Self {
        Self {
            on,
            violated: Mutex::new(None),
        }
    }

    /// The transaction, where an action writes.
    #[must_use]
    pub fn tx(&self) -> Option<&'a Tx> {
        match self.on {
            On::Writing(tx) => Some(tx),
            On::Reading(_) => None,
        }
    }

    /// What was violated since the last time that somebody asked.
    pub(super) fn take_violated(&self) -> Option<Violated> {
        self.violated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn note(&self, error: Error) -> DbErr {
        let kind = error.kind();
        let is_constraint = matches!(
            kind,
            ErrorKind::Unique | ErrorKind::ForeignKey | ErrorKind::Invalid
        );
        if let Some(reported) = error.database().filter(|_| is_constraint) {
            let violated = Violated {
                kind,
                constraint: reported.constraint().map(str::to_owned),
                column: reported.column().map(str::to_owned),
            };
            *self.violated.lock().unwrap_or_else(PoisonError::into_inner) = Some(violated);
        }
        error.into()
    }

    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, DbErr> {
        let rows = match &self.on {
            On::Reading(db) => db.rows(sql, values).await,
            On::Writing(tx) => tx.rows(sql, values).await,
        };
        rows.map_err(|error| self.note(error))
    }

    async fn affected(&self, sql: &str, values: Vec<Value>) -> Result<ExecResult, DbErr> {
        let affected = match &self.on {
            On::Reading(db) => db.execute_sql(sql, values).await,
            On::Writing(tx) => tx.execute_sql(sql, values).await,
        };
        let rows_affected = affected.map_err(|error| self.note(error))?;
        Ok(ProxyExecResult {
            last_insert_id: 0,
            rows_affected,
        }
        .into())
    }
}

fn values(statement: &mut Statement) -> Vec<Value> {
    statement
        .values
        .take()
        .map(|values| values.0)
        .unwrap_or_default()
}

#[async_trait]
impl ConnectionTrait for Connection<'_> {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, mut statement: Statement) -> Result<ExecResult, DbErr> {
        let values = values(&mut statement);
        self.affected(&statement.sql, values).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.affected(sql, Vec::new()).await
    }

    async fn query_one_raw(&self, mut statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let values = values(&mut statement);
        Ok(self.rows(&statement.sql, values).await?.into_iter().next())
    }

    async fn query_all_raw(&self, mut statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let values = values(&mut statement);
        self.rows(&statement.sql, values).await
    }
}
