//! Requests that are sent twice and done once.
//!
//! A client that does not know whether its request arrived sends it again with the same header,
//! `Idempotency-Key`. The answer is kept in the transaction that did the work; the second request gets
//! it again, with `Idempotency-Replayed: true`, and does nothing. Only what was done is kept: a request
//! that was refused may be sent again with the same key, put right.

mod attempt;
mod key;
pub mod model;

use crate::{
    db::{Db, Error, Sql as _},
    schema::{Rights, SchemaBuilder},
};

pub(super) use attempt::Claimed;
pub(super) use key::IdempotencyKey;

/// Keys that one statement removes, at most.
const BATCH: i64 = 1_000;

/// Adds the table to a schema. It belongs to the tenants of [`Identity`](crate::identity::Identity), whose
/// tables the schema needs as well.
pub fn tables(schema: SchemaBuilder) -> SchemaBuilder {
    schema
        .identity_model::<model::Entity>(Some(Rights::ReadWrite))
        .routines(include_str!("claim.sql"))
}

/// Removes the keys of all tenants whose time is over, and tells how many there were. For the service
/// itself, now and then; a key that is too old counts as unknown whether it was removed or not.
///
/// # Errors
///
/// What the database reports.
pub async fn purge(db: &Db) -> Result<u64, Error> {
    let db = db.across("old idempotency keys are removed").await?;
    let mut removed = 0;
    loop {
        let batch = db
            .execute_sql(
                "DELETE FROM web.idempotency_key WHERE (tenant_id, id) IN \
                 (SELECT tenant_id, id FROM web.idempotency_key WHERE expires_at <= now() LIMIT $1)",
                [BATCH.into()],
            )
            .await?;
        removed += batch;
        if batch < BATCH.unsigned_abs() {
            return Ok(removed);
        }
    }
}
