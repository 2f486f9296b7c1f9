//! The example from outside: over HTTP, from the command line, and with a hostile SQL console.
#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod attack_routes;
mod attacks;
mod audit;
mod browser;
mod browser_pages;
mod command;
mod comments;
mod exports;
mod identity_current;
mod identity_invitations;
mod identity_keys;
mod identity_people;
mod identity_staff;
mod identity_tenants;
mod importing;
mod isolation;
mod json;
mod nested;
mod openapi;
mod openapi_properties;
mod pages;
mod playground;
mod remark;
mod resources;
mod routes;
mod tags;
mod world;
