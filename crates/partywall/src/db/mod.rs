//! The way to the rows: statements and transactions inside a scope, and the one way across.
//!
//! ```text
//! Db ── scoped(&scope) ──▶ ScopedDb   one statement, one round trip, one transaction
//!   ├── begin(&scope) ───▶ Tx         BEGIN and the context ride with the first statement,
//!   │                                 and COMMIT with the last, run on `tx.committing()`
//!   ├── across(reason) ──▶ Across     another login, audited
//!   └── changes(&scope) ─▶ Changes    what becomes of the rows, told after the commit
//! ```
//!
//! All but the last run SeaORM's whole interface and raw SQL ([`Sql`]).

mod across;
mod audit;
mod changes;
mod committing;
mod config;
mod conn;
mod connect_error;
mod context;
#[expect(
    clippy::module_inception,
    reason = "the room is named after its one central noun"
)]
mod db;
mod error;
mod guard;
mod lease;
mod metrics;
mod observed;
mod pipeline;
mod pool;
mod run;
mod scoped;
mod seaorm;
mod session;
mod shape;
mod sql;
mod statement;
mod stream;
mod text;
mod tx;
mod tx_state;
mod within;

#[doc(hidden)]
pub use self::audit::Findings;
#[cfg(feature = "web")]
pub(crate) use self::within::scope_condition;
pub use self::{
    across::Across,
    changes::{Change, Changes, Operation, RowChange, Subscription},
    committing::Committing,
    config::{Config, ConfigError, OnDrift},
    connect_error::{ConnectError, UnsafeRights},
    db::Db,
    error::{DatabaseError, Error, ErrorKind, NoLogin, Refused},
    guard::Unsafe,
    metrics::{Closed, Event, Metrics},
    run::{InTransaction, Run},
    scoped::ScopedDb,
    sql::Sql,
    stream::RowStream,
    text::{TextLimits, TextRows},
    tx::Tx,
    within::Within,
};
pub use self::{run::Answer, statement::Job};
pub use crate::value::{Kind, ValueError, ValueErrorKind, kind_of};
