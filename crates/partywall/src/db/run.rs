use async_trait::async_trait;
use sea_orm::{ConnectionTrait, QueryResult};

use super::{Committing, Error, RowStream, Tx, statement::Job};

/// What scoped connections, transactions and the way across have in common. Sealed: nothing outside
/// of this crate can be a place where statements run.
#[async_trait]
pub trait Run: Send + Sync {
    /// Runs a statement and collects its rows.
    #[doc(hidden)]
    async fn run(&self, job: Job) -> Result<Answer, Error>;

    /// Runs a statement and hands out its rows as they come.
    #[doc(hidden)]
    async fn open(&self, job: Job) -> Result<RowStream, Error>;
}

/// What runs in a transaction that somebody began, and not alone: [`Tx`], and [`Committing`] for its
/// last statement.
pub trait InTransaction: Run + ConnectionTrait {}

impl InTransaction for Tx {}
impl InTransaction for Committing {}

/// Rows, and how many a statement touched.
#[derive(Debug)]
pub struct Answer {
    pub(crate) rows: Vec<QueryResult>,
    pub(crate) affected: u64,
}
