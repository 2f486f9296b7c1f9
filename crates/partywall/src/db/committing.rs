use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{
    Error, Refused, RowStream, Tx,
    run::{Answer, Run},
    statement::Job,
};

/// The last statement of a transaction, with COMMIT behind it in the same flush: one round trip
/// instead of two, and one altogether where it is the first statement as well. Made by
/// [`Tx::committing`].
///
/// ```no_run
/// # use partywall::{Db, Scope, Sql, db::Error};
/// # async fn publish(db: &Db, scope: &Scope, id: i64) -> Result<(), Error> {
/// let tx = db.begin(scope).await?;
/// tx.execute_sql("UPDATE post SET state = 'published' WHERE id = $1", [id.into()]).await?;
/// tx.committing()
///     .execute_sql("INSERT INTO news (post_id) VALUES ($1)", [id.into()])
///     .await?;
/// # Ok(()) }
/// ```
///
/// It takes one statement: `row.insert(&tx.committing())`. With it the transaction has ended,
/// whatever the answer:
///
/// * The statement was done: all of the transaction is permanent. A statement that touches no row was
///   done as well, also where SeaORM then says `RecordNotUpdated`, and so was one whose rows cannot be
///   read into the type asked for ([`Error::Row`]). What has to be looked at before anything may stay is
///   for [`Tx::commit`].
/// * The statement failed or was refused, or a constraint that is checked at commit failed: all of the
///   transaction is undone, and the error is this one.
/// * The future was dropped, the connection was [lost](Error::Lost) or the server did not
///   [answer](Error::Unanswered): the outcome is unknown, as it is for [`Tx::commit`].
///
/// Whatever is run on it after that answers [`Refused::Ended`]. So an `ActiveModelBehavior` whose hooks
/// send statements of their own is not for here: the first of them would be the last. Dropped without
/// a statement, the transaction is rolled back.
#[must_use = "a transaction whose last statement is not run is rolled back"]
pub struct Committing {
    tx: Mutex<Option<Tx>>,
}

impl Tx {
    /// Takes the transaction's last statement, and commits with it: see [`Committing`]. A nested
    /// transaction answers [`Refused::Savepoint`] to it and is undone.
    pub fn committing(self) -> Committing {
        Committing {
            tx: Mutex::new(Some(self)),
        }
    }
}

impl Committing {
    fn take(&self) -> Result<Tx, Error> {
        let mut tx = self.tx.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tx.take().ok_or(Refused::Ended)?)
    }
}

#[async_trait]
impl Run for Committing {
    async fn run(&self, job: Job) -> Result<Answer, Error> {
        self.take()?.run_last(&job).await
    }

    /// COMMIT has been sent when the first row is there; its answer is the stream's end.
    async fn open(&self, job: Job) -> Result<RowStream, Error> {
        self.take()?.open_last(&job).await
    }
}

impl fmt::Debug for Committing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committing").finish_non_exhaustive()
    }
}
