//! The tables: notes, and drafts of them; topics with three kinds of comments below them; events in partitions.
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "SeaORM's macros make entities public, and these are the programme's own"
)]

pub mod comment_copy;
pub mod comment_exists;
pub mod comment_own;
pub mod draft;
pub mod event;
pub mod note;
pub mod topic;

use partywall::{Roles, Schema, Seal, SealKey};

use crate::outcome::Outcome;

/// Events are partitioned, which no model can say: the application's own migration makes the table.
const EVENT: &str = "\
CREATE TABLE event (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  label text NOT NULL,
  PRIMARY KEY (tenant_id, id)
) PARTITION BY HASH (tenant_id);
CREATE TABLE event_0 PARTITION OF event FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE event_1 PARTITION OF event FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE event_2 PARTITION OF event FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE event_3 PARTITION OF event FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE event_4 PARTITION OF event FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE event_5 PARTITION OF event FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE event_6 PARTITION OF event FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE event_7 PARTITION OF event FOR VALUES WITH (MODULUS 8, REMAINDER 7);
";

/// The schema, sealed or not.
pub fn schema(sealed: bool) -> Outcome<Schema> {
    let seal = if sealed {
        Seal::on(SealKey::new(&[7; 32])?)
    } else {
        Seal::Off
    };
    Ok(Schema::builder(Roles::named("bench"), seal)
        .migration("events in partitions", EVENT)
        .model::<note::Entity>()
        .model::<topic::Entity>()
        .model::<comment_own::Entity>()
        .model::<comment_copy::Entity>()
        .model::<comment_exists::Entity>()
        .model::<event::Entity>()
        .build()?)
}
