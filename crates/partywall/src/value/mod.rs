//! Values on their way to PostgreSQL and back.
//!
//! SeaORM hands over a [`Value`](sea_orm::Value) per placeholder and expects rows of them. Without
//! sqlx nothing else knows which PostgreSQL type a value is sent as, nor which variant a column
//! must come back as, so this room answers both:
//!
//! | question | answer |
//! |---|---|
//! | as which type is a parameter declared? | [`declared_type`], the same as sea-query-sqlx |
//! | can these parameters be sent at all? | [`check`], before anything reaches the server |
//! | how is a parameter written? | [`Param`], binary where it can, text where it must |
//! | which variant does a model's field read? | [`Kind`], collected in [`Kinds`] |
//! | how does a row become a `QueryResult`? | [`RowPlan`], made once per statement |
//!
//! Reading is strict on purpose. SeaORM's proxy rows answer *every* mismatch with "null", which an
//! `Option` field turns into a silent `None`; so a value that does not fit its field exactly is a
//! [`ValueError`] here and never reaches a proxy row.
//!
//! Imports run one way:
//!
//! - reading: `row` → `column` → `array` → `decode`, with `kinds` → `kind` beside them and `keys`
//!   for the names;
//! - sending: `param` → `check` and `encode` → `array` and `text` → `binary`;
//! - both end in the formats (`integer`, `moment`, `numeric`, `network`, `json`), and all may use
//!   `wire`, `variant` and `error`.

mod array;
mod binary;
mod check;
mod column;
mod decode;
mod encode;
mod error;
mod integer;
mod json;
mod keys;
mod kind;
mod kinds;
mod moment;
mod network;
mod numeric;
mod param;
#[cfg(all(test, feature = "testing"))]
mod roundtrip;
mod row;
mod text;
mod variant;
mod wire;

pub(crate) use check::{check, declared_type};
pub use error::{ValueError, ValueErrorKind};
pub use kind::{Kind, kind_of};
pub(crate) use kinds::Kinds;
pub(crate) use param::Param;
pub(crate) use row::RowPlan;
