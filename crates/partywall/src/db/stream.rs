use std::{
    fmt,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use futures_util::TryStream;
use sea_orm::{DbErr, QueryResult};
use tokio::sync::OwnedMutexGuard;

use super::{
    Error, conn::plan, lease::Lease, observed::Observed, pipeline::OpenStream, tx_state::TxState,
};
use crate::value::{Kinds, RowPlan};

/// Rows as they come.
///
/// The scope is the one that the statement was sent with, to the last row: the transaction around it
/// lasts as long as the stream, and no other statement uses its connection. Dropped before its end,
/// the stream leaves the rest to the connection's clean-up.
#[must_use = "a stream does nothing unless it is read"]
pub struct RowStream {
    source: OpenStream,
    /// Present until the end.
    observed: Option<Observed>,
    plan: Option<Arc<RowPlan>>,
    kinds: Arc<Kinds>,
    holder: Holder,
    rows_ended: bool,
    ended: bool,
}

/// What keeps the connection for a stream.
pub(super) enum Holder {
    Lease(Box<Lease>),
    Tx {
        slot: OwnedMutexGuard<Option<Lease>>,
        tx: TxState,
    },
}

impl Holder {
    /// Keeps a transaction's connection until the stream is done with.
    pub(super) fn tx(slot: OwnedMutexGuard<Option<Lease>>, tx: &TxState) -> Self {
        tx.streaming.store(true, Ordering::Release);
        Self::Tx {
            slot,
            tx: tx.clone(),
        }
    }

    /// Takes note that all answers have been read.
    pub(super) fn finish(&mut self, failed: bool) {
        let lease = match self {
            Self::Lease(lease) => Some(lease.as_mut()),
            Self::Tx { slot, tx } => {
                if failed {
                    tx.failed.store(true, Ordering::Release);
                }
                slot.as_mut()
            }
        };
        if let Some(lease) = lease {
            lease.busy = false;
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        if let Self::Tx { tx, .. } = self {
            tx.streaming.store(false, Ordering::Release);
        }
    }
}

impl RowStream {
    pub(super) fn new(
        mut source: OpenStream,
        observed: Observed,
        kinds: Arc<Kinds>,
        holder: Holder,
    ) -> Self {
        let plan = source.plan.take();
        Self {
            source,
            observed: Some(observed),
            plan,
            kinds,
            holder,
            rows_ended: false,
            ended: false,
        }
    }

    fn observe(&mut self, row: Result<(), &Error>) {
        match (&mut self.observed, row) {
            (Some(observed), Ok(())) => observed.row(),
            (Some(observed), Err(error)) => observed.failed(error),
            (None, _) => {}
        }
    }

    fn convert(&mut self, row: &tokio_postgres::Row) -> Result<QueryResult, Error> {
        let plan = match &self.plan {
            Some(plan) => plan.clone(),
            None => {
                let plan = Arc::new(plan(row.columns(), &self.kinds)?);
                self.plan = Some(plan.clone());
                plan
            }
        };
        Ok(plan.query_result(row)?)
    }
}

impl Stream for RowStream {
    type Item = Result<QueryResult, DbErr>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let mut failure = None;
        if !this.rows_ended {
            match ready!(this.source.rows.as_mut().try_poll_next(cx)) {
                Some(Ok(row)) => {
                    let row = this.convert(&row);
                    this.observe(row.as_ref().map(drop));
                    return Poll::Ready(Some(row.map_err(DbErr::from)));
                }
                Some(Err(error)) => failure = Some(Error::from(error)),
                None => {}
            }
            this.rows_ended = true;
        }
        if failure.is_some() {
            // Alone, the answer to COMMIT follows and says nothing new; the clean-up reads it.
            if matches!(this.holder, Holder::Tx { .. }) {
                this.holder.finish(true);
            }
        } else {
            while let Some(end) = &mut this.source.end {
                match ready!(end.as_mut().try_poll_next(cx)) {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        failure = Some(Error::from(error));
                        this.source.end = None;
                    }
                    None => this.source.end = None,
                }
            }
            this.holder.finish(false);
        }
        if let Some(error) = &failure {
            this.observe(Err(error));
        }
        this.observed = None;
        this.ended = true;
        Poll::Ready(failure.map(|error| Err(error.into())))
    }
}

impl fmt::Debug for RowStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
