use async_trait::async_trait;
use sea_orm::{FromQueryResult, QueryResult, TryGetable, Value};

use super::{Error, RowStream, run::Run, statement::Job};

/// Raw SQL inside the wall: one statement at a time, with typed parameters and rows.
///
/// The text is yours and the rows are the scope's: row-level security applies to whatever the
/// statement says. Values go in as parameters (`$1`), never into the text.
///
/// ```no_run
/// # use partywall::{Db, Scope, Sql, db::Error};
/// # #[derive(sea_orm::FromQueryResult)] struct Title { title: String }
/// # async fn titles(db: &Db, scope: &Scope) -> Result<(), Error> {
/// let notes: i64 = db.scoped(scope).scalar("SELECT count(*) FROM note", []).await?;
/// let long: Vec<Title> = db
///     .scoped(scope)
///     .all("SELECT title FROM note WHERE length(body) > $1", [1_000.into()])
///     .await?;
/// # Ok(()) }
/// ```
#[async_trait]
pub trait Sql: Run {
    /// Runs a statement and tells how many rows it touched.
    ///
    /// # Errors
    ///
    /// [`Error`].
    async fn execute_sql<P>(&self, sql: &str, parameters: P) -> Result<u64, Error>
    where
        P: IntoIterator<Item = Value> + Send,
    {
        let job = Job::new(sql, parameters);
        Ok(self.run(job).await?.affected)
    }

    /// All rows, as structs.
    ///
    /// # Errors
    ///
    /// [`Error`].
    async fn all<T, P>(&self, sql: &str, parameters: P) -> Result<Vec<T>, Error>
    where
        T: FromQueryResult + Send,
        P: IntoIterator<Item = Value> + Send,
    {
        self.rows(sql, parameters).await?.iter().map(read).collect()
    }

    /// The first row, as a struct, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error`].
    async fn optional<T, P>(&self, sql: &str, parameters: P) -> Result<Option<T>, Error>
    where
        T: FromQueryResult + Send,
        P: IntoIterator<Item = Value> + Send,
    {
        self.rows(sql, parameters)
            .await?
            .first()
            .map(read)
            .transpose()
    }

    /// The first row, as a struct.
    ///
    /// # Errors
    ///
    /// [`Error::Row`] with `RecordNotFound` when there is none.
    async fn one<T, P>(&self, sql: &str, parameters: P) -> Result<T, Error>
    where
        T: FromQueryResult + Send,
        P: IntoIterator<Item = Value> + Send,
    {
        read(
            self.rows(sql, parameters)
                .await?
                .first()
                .ok_or_else(not_found)?,
        )
    }

    /// The first column of the first row.
    ///
    /// # Errors
    ///
    /// [`Error::Row`] with `RecordNotFound` when there is no row.
    async fn scalar<T, P>(&self, sql: &str, parameters: P) -> Result<T, Error>
    where
        T: TryGetable + Send,
        P: IntoIterator<Item = Value> + Send,
    {
        let rows = self.rows(sql, parameters).await?;
        rows.first()
            .ok_or_else(not_found)?
            .try_get_by_index(0)
            .map_err(Error::Row)
    }

    /// All rows, to read by column.
    ///
    /// # Errors
    ///
    /// [`Error`].
    async fn rows<P>(&self, sql: &str, parameters: P) -> Result<Vec<QueryResult>, Error>
    where
        P: IntoIterator<Item = Value> + Send,
    {
        let job = Job::new(sql, parameters);
        Ok(self.run(job).await?.rows)
    }

    /// The rows as they come, without holding them all in memory.
    ///
    /// # Errors
    ///
    /// [`Error`].
    async fn stream_sql<P>(&self, sql: &str, parameters: P) -> Result<RowStream, Error>
    where
        P: IntoIterator<Item = Value> + Send,
    {
        let job = Job::new(sql, parameters);
        self.open(job).await
    }
}

impl<R: Run + ?Sized> Sql for R {}

fn read<T: FromQueryResult>(row: &QueryResult) -> Result<T, Error> {
    T::from_query_result(row, "").map_err(Error::Row)
}

fn not_found() -> Error {
    Error::Row(sea_orm::DbErr::RecordNotFound(
        "the statement returned no row".into(),
    ))
}
