//! The behaviour contract, against a real PostgreSQL.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking, and SeaORM's macros make entities public"
)]

mod compile;
mod login;
mod cancel;
mod models;
mod writes;
mod dimensions;
mod raw_sql;
mod probe;
mod reads;
mod rooms;
mod relations;
