//! What spans and metrics are told of a statement: its tenant and its text, and never a value.

use std::{sync::Arc, time::Instant};

use tracing::{Span, debug_span, field::Empty};

use super::{Error, Event, pool::Shared};
use crate::scope::{Scope, Values};

/// A statement from its sending to its last row. Tells the metrics when it is dropped, so that one
/// whose future is dropped is told as well.
pub(super) struct Observed {
    shared: Arc<Shared>,
    span: Span,
    started: Instant,
    /// Absent while nothing is known, and after a failure.
    rows: Option<u64>,
}

impl Observed {
    pub(super) fn new(shared: Arc<Shared>, scope: Option<&Scope>, sql: &str) -> Self {
        Self {
            shared,
            span: span(scope, sql),
            started: Instant::now(),
            rows: None,
        }
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The statement has been answered, with so many rows so far.
    pub(super) fn answered(&mut self, rows: u64) {
        self.rows = Some(rows);
    }

    /// One more row was handed out.
    pub(super) fn row(&mut self) {
        self.rows = self.rows.map(|rows| rows + 1);
    }

    pub(super) fn failed(&mut self, error: &Error) {
        self.rows = None;
        self.span
            .record("error", tracing::field::debug(error.kind()));
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if let Some(rows) = self.rows {
            self.span.record("rows", rows);
        }
        self.shared.record(Event::Statement {
            login: self.shared.connector.login(),
            took: self.started.elapsed(),
            rows: self.rows,
        });
    }
}

fn span(scope: Option<&Scope>, sql: &str) -> Span {
    let span = debug_span!(
        "statement",
        tenant = Empty,
        sql,
        rows = Empty,
        error = Empty
    );
    if !span.is_disabled()
        && let Some(values) = scope.and_then(|scope| scope.get("tenant"))
    {
        match values {
            Values::One(tenant) => span.record("tenant", tracing::field::display(tenant)),
            Values::List(list) => span.record("tenant", format!("{} tenants", list.len())),
        };
    }
    span
}
