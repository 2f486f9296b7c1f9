//! The tables, in the schema `identity`, and who owns the rows of each.
//!
//! | owned by | tables |
//! |---|---|
//! | a person (`user`) | `user`, `session`, `staff` |
//! | an address (`email`) | `credential`, `sign_up`, `outbox` |
//! | a tenant | all others |

#![allow(
    missing_docs,
    missing_debug_implementations,
    reason = "SeaORM's macros generate items without documentation"
)]

pub mod account;
pub mod account_grant;
pub mod account_group;
pub mod account_role;
pub mod api_key;
pub mod audit;
pub mod credential;
pub mod domain;
pub mod group_member;
pub mod group_role;
pub mod invitation;
pub mod outbox;
pub mod role;
pub mod role_inclusion;
pub mod session;
pub mod sign_up;
pub mod staff;
pub mod staff_entry;
pub mod tenant;
pub mod user;
