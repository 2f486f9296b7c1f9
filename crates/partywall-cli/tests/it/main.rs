//! The program, as its users run it, against a real PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may panic"
)]

mod apply;
mod arguments;
mod baseline;
mod bouncer;
mod check;
mod database;
mod doctor;
mod each;
mod explain;
mod generate;
mod interrupt;
mod plan;
mod prove;
mod run;
mod secrets;
mod shell;
