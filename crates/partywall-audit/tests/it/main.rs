//! The audit against a real PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests may panic"
)]

mod database;
mod django;
mod fault;
mod faults;
mod hostile;
mod keys;
mod named;
mod objects;
mod plan;
mod policies;
mod privileges;
mod prove;
mod prove_fairly;
mod prove_harm;
mod prove_roads;
mod prove_safely;
mod sound;
mod speed;
mod stores;
mod subject;
mod tools;
mod variations;
mod versions;
mod written;
