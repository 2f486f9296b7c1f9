//! The behaviour contract, against a real PostgreSQL.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::async_yields_async,
    clippy::duplicate_mod,
    clippy::wildcard_enum_match_arm,
    reason = "tests fail by panicking, and SeaORM's macros make entities public"
)]

mod across;
mod alone;
mod audited;
mod blank;
mod bouncer;
mod cancel;
mod cascades;
mod changes;
mod committing;
mod compile;
mod context;
mod dimensions;
mod dirt;
mod drift;
mod failures;
mod guard;
mod identity;
mod jobs;
mod keys;
mod kit;
mod links;
mod lists;
mod login;
mod metrics;
mod migrations;
mod models;
mod planted;
mod policy;
mod pooler;
mod probe;
mod raw_sql;
mod reads;
mod relations;
mod resource;
mod rights;
mod rooms;
mod round_trips;
mod routes;
mod settings;
mod tasks;
mod tls;
mod tracing;
mod transaction;
mod upserts;
mod wire;
mod writes;
