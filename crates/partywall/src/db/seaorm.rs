//! SeaORM's traits, so that its whole interface runs inside the wall unchanged.

use std::{future::Future, pin::Pin};

use async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, ProxyExecResult,
    QueryResult, Statement, StreamTrait, TransactionError, TransactionOptions, TransactionSession,
    TransactionTrait,
};

use super::{
    Across, Committing, Error, RowStream, ScopedDb, Tx, run::Run, scoped::BEGIN, statement::Job,
};

type Callback<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

/// The text of BEGIN. Every part is spelt out, so that no session default changes it.
fn begin(isolation: Option<IsolationLevel>, access: Option<AccessMode>) -> &'static str {
    let read_only = matches!(access, Some(AccessMode::ReadOnly));
    match (
        isolation.unwrap_or(IsolationLevel::ReadCommitted),
        read_only,
    ) {
        (IsolationLevel::ReadCommitted | IsolationLevel::ReadUncommitted, false) => BEGIN,
        (IsolationLevel::ReadCommitted | IsolationLevel::ReadUncommitted, true) => {
            "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY NOT DEFERRABLE"
        }
        (IsolationLevel::RepeatableRead, false) => {
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE NOT DEFERRABLE"
        }
        (IsolationLevel::RepeatableRead, true) => {
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY NOT DEFERRABLE"
        }
        (IsolationLevel::Serializable, false) => {
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE NOT DEFERRABLE"
        }
        (IsolationLevel::Serializable, true) => {
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY NOT DEFERRABLE"
        }
    }
}

/// Somewhere a transaction can begin.
#[async_trait]
trait Begins {
    async fn begin_as(&self, begin: &'static str) -> Result<Tx, Error>;
}

#[async_trait]
impl Begins for ScopedDb {
    async fn begin_as(&self, begin: &'static str) -> Result<Tx, Error> {
        self.begin_with(begin).await
    }
}

#[async_trait]
impl Begins for Across {
    async fn begin_as(&self, begin: &'static str) -> Result<Tx, Error> {
        self.0.begin_with(begin).await
    }
}

#[async_trait]
impl Begins for Tx {
    /// A savepoint has no isolation level of its own; PostgreSQL keeps the transaction's.
    async fn begin_as(&self, _: &'static str) -> Result<Tx, Error> {
        self.nested()
    }
}

macro_rules! sea_orm_connection {
    ($connection:ty) => {
        #[async_trait]
        impl ConnectionTrait for $connection {
            fn get_database_backend(&self) -> DbBackend {
                DbBackend::Postgres
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                let answer = self.run(Job::from(statement)).await?;
                Ok(ProxyExecResult {
                    last_insert_id: 0,
                    rows_affected: answer.affected,
                }
                .into())
            }

            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                let answer = self.run(Job::new(sql, [])).await?;
                Ok(ProxyExecResult {
                    last_insert_id: 0,
                    rows_affected: answer.affected,
                }
                .into())
            }

            async fn query_one_raw(
                &self,
                statement: Statement,
            ) -> Result<Option<QueryResult>, DbErr> {
                Ok(self
                    .run(Job::from(statement))
                    .await?
                    .rows
                    .into_iter()
                    .next())
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                Ok(self.run(Job::from(statement)).await?.rows)
            }
        }

        impl StreamTrait for $connection {
            type Stream<'a> = RowStream;

            fn get_database_backend(&self) -> DbBackend {
                DbBackend::Postgres
            }

            fn stream_raw<'a>(
                &'a self,
                statement: Statement,
            ) -> Pin<Box<dyn Future<Output = Result<RowStream, DbErr>> + 'a + Send>> {
                Box::pin(async move { Ok(self.open(Job::from(statement)).await?) })
            }
        }
    };
}

macro_rules! sea_orm_transactions {
    ($connection:ty) => {
        #[async_trait]
        impl TransactionTrait for $connection {
            type Transaction = Tx;

            async fn begin(&self) -> Result<Tx, DbErr> {
                Ok(self.begin_as(BEGIN).await?)
            }

            async fn begin_with_config(
                &self,
                isolation_level: Option<IsolationLevel>,
                access_mode: Option<AccessMode>,
            ) -> Result<Tx, DbErr> {
                Ok(self.begin_as(begin(isolation_level, access_mode)).await?)
            }

            async fn begin_with_options(&self, options: TransactionOptions) -> Result<Tx, DbErr> {
                self.begin_with_config(options.isolation_level, options.access_mode)
                    .await
            }

            async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(&'c Tx) -> Callback<'c, T, E> + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                self.transaction_with_config(callback, None, None).await
            }

            async fn transaction_with_config<F, T, E>(
                &self,
                callback: F,
                isolation_level: Option<IsolationLevel>,
                access_mode: Option<AccessMode>,
            ) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(&'c Tx) -> Callback<'c, T, E> + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                let connection = |error: Error| TransactionError::Connection(error.into());
                let begin = begin(isolation_level, access_mode);
                let tx = self.begin_as(begin).await.map_err(connection)?;
                match callback(&tx).await {
                    Ok(value) => {
                        Tx::commit(tx).await.map_err(connection)?;
                        Ok(value)
                    }
                    Err(error) => {
                        Tx::rollback(tx).await.map_err(connection)?;
                        Err(TransactionError::Transaction(error))
                    }
                }
            }
        }
    };
}

sea_orm_connection!(ScopedDb);
sea_orm_connection!(Tx);
sea_orm_connection!(Across);
// One statement and no transaction inside: what needs more does not compile.
sea_orm_connection!(Committing);

sea_orm_transactions!(ScopedDb);
sea_orm_transactions!(Tx);
sea_orm_transactions!(Across);

#[async_trait]
impl TransactionSession for Tx {
    async fn commit(self) -> Result<(), DbErr> {
        Ok(Self::commit(self).await?)
    }

    async fn rollback(self) -> Result<(), DbErr> {
        Ok(Self::rollback(self).await?)
    }
}
