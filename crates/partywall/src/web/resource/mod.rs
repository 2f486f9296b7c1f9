//! Resources: list, retrieve, create, replace, update, delete, and the same in bulk, for one entity.
//!
//! | part | what it does |
//! |---|---|
//! | [`Resource`] | what an application says of its rows |
//! | [`List`] | filters, search, order, pages by signed cursors, `fields`, `count` |
//! | [`Format`] | a list as a whole, as CSV or lines of JSON |
//! | [`Patch`], [`Choice`], [`Related`] | what comes in: absent is not null, ids are looked up inside the scope |
//! | [`idempotency`] | requests that are sent twice and done once |
//! | [`Actions`] | the actions as functions, over a [`Granted`] and a [`Call`] |
//! | [`ResourceEndpoints`] | the same as endpoints of [`Routes`](crate::web::Routes) |
//!
//! Bulk calls go to the list's address with `/bulk` behind it: `POST {"items": […]}`,
//! `PATCH {"items": [{"id": …}, …]}`, `DELETE ?ids=…,…`. They change all rows or none.
//!
//! Nothing is inserted over what is there: an upsert is not offered.

mod act;
mod action;
mod actions;
mod call;
mod choice;
mod connection;
mod context;
mod cursor;
mod endpoints;
mod error;
mod etag;
mod export;
#[doc(hidden)]
pub mod fuzz;
mod granted;
pub mod idempotency;
mod input;
mod list;
mod outcome;
mod page;
mod related;
#[expect(
    clippy::module_inception,
    reason = "the room is named after its one central noun"
)]
mod resource;
mod settings;
mod shown;
mod sight;
mod typed;
mod violation;

pub use act::Act;
pub use actions::Actions;
pub use call::Call;
pub use choice::Choice;
pub use connection::Connection;
pub use context::Context;
pub use cursor::{CursorKey, CursorKeyError};
pub use endpoints::ResourceEndpoints;
pub use error::ResourceError;
pub use export::Format;
pub use granted::{AnyRow, Granted};
pub use input::Patch;
pub use list::{List, Op};
pub use outcome::Outcome;
pub use page::{Items, Page};
pub use related::Related;
pub use resource::{ActiveModelOf, ColumnOf, ModelOf, Removal, Resource, Saved};
pub use settings::Settings;
pub use sight::Sight;
