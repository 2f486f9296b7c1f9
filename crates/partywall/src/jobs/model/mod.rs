//! The room's tables.

#![allow(
    missing_docs,
    missing_debug_implementations,
    reason = "SeaORM's macros generate items without documentation"
)]

pub mod global_job;
pub mod job;
