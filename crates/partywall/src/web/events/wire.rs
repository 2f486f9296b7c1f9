use std::time::Duration;

use axum::response::sse::Event;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::{Change, Operation, RowChange};

/// What opens the stream, and when to try again after it has ended. Streams that end together, with a
/// process, come back apart.
pub(super) fn opening(is_again: bool) -> Event {
    let spread = u64::from(Uuid::new_v4().as_bytes().iter().fold(0, |sum, b| sum ^ b));
    let retry = Duration::from_millis(2_000 + spread * 16);
    let event = Event::default().retry(retry).data("{}");
    event.event(if is_again { "resync" } else { "ready" })
}

/// A change as an event, with what was read of its row.
pub(super) fn event(change: &Change, row: Option<Value>) -> Event {
    match change {
        Change::Row(changed) => {
            let mut data = json!({"op": changed.operation().as_str(), "id": id(changed)});
            if let (Some(row), Some(data)) = (row, data.as_object_mut()) {
                data.insert("row".to_owned(), row);
            }
            named(changed.table()).data(data.to_string())
        }
        Change::Many { table } => named(table).data(r#"{"op":"many"}"#),
        Change::Resync => Event::default().event("resync").data("{}"),
    }
}

/// Whether there may be something to read of a row.
pub(super) fn readable(change: &Change) -> Option<&RowChange> {
    match change {
        Change::Row(row) if row.operation() != Operation::Delete => Some(row),
        Change::Row(_) | Change::Many { .. } | Change::Resync => None,
    }
}

fn id(change: &RowChange) -> Value {
    match change.key() {
        [id] => id.as_str().into(),
        several => several.into(),
    }
}

/// A name of more than one line would be another field.
fn named(table: &str) -> Event {
    Event::default().event(table.replace(['\r', '\n'], " "))
}
