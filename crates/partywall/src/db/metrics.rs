use std::{fmt, time::Duration};

/// What happened, for the application's own metrics. No event carries a value or a tenant.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection was taken from a pool.
    Acquired {
        /// The login of the pool.
        login: &'a str,
        /// How long that took.
        waited: Duration,
    },
    /// A statement ended: run alone, in a transaction, as a stream or as a COPY.
    Statement {
        /// The login it ran under.
        login: &'a str,
        /// From sending to the last row, or until nobody wanted more.
        took: Duration,
        /// Rows returned or changed. Those that were handed out, for a stream; the lines, for a COPY.
        /// Absent when it failed, or when nobody waited for its answer.
        rows: Option<u64>,
    },
    /// A connection was closed rather than used again.
    Closed {
        /// The login of the pool.
        login: &'a str,
        /// Why.
        because: Closed,
    },
    /// The way across was taken.
    Across {
        /// The file of the call.
        file: &'a str,
        /// The line of the call.
        line: u32,
    },
}

/// Why a connection was closed rather than used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Closed {
    /// A raw statement may have left something on the session.
    Dirty,
    /// Its user went away in the middle of a statement that then had to be cancelled.
    Abandoned,
}

/// Receives events. Called on the task that runs the statement: be quick, and never block.
pub trait Metrics: fmt::Debug + Send + Sync {
    /// Takes note of an event.
    fn record(&self, event: Event<'_>);
}
