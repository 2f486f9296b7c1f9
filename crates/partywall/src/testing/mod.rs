//! For the application's own test suite: a database per test, a tenant in one word, and the wall's
//! promises as assertions of one line.
//!
//! ```no_run
//! # mod note {
//! #     use partywall::Scoped;
//! #     use sea_orm::entity::prelude::*;
//! #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
//! #     #[sea_orm(table_name = "note")]
//! #     #[scoped(tenant = "tenant_id")]
//! #     pub struct Model {
//! #         #[sea_orm(primary_key, auto_increment = false)]
//! #         pub id: Uuid,
//! #         pub tenant_id: Uuid,
//! #         pub title: String,
//! #     }
//! #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
//! #     pub enum Relation {}
//! #     impl ActiveModelBehavior for ActiveModel {}
//! # }
//! # fn schema() -> partywall::Schema { unimplemented!() }
//! # async fn notes_are_isolated() -> Result<(), Box<dyn std::error::Error>> {
//! use partywall::testing::{TestDb, assert_blocks_without_scope, assert_enforced, assert_isolated};
//! use sea_orm::{ActiveModelTrait, ActiveValue::Set};
//! use uuid::Uuid;
//!
//! let test = TestDb::new(&schema()).await?;
//! let (acme, globex) = (Uuid::now_v7(), Uuid::now_v7());
//! for tenant in [acme, globex] {
//!     let title = Set("hello".to_owned());
//!     note::ActiveModel { id: Set(Uuid::now_v7()), title, ..Default::default() }
//!         .insert(&test.as_tenant(tenant))
//!         .await?;
//! }
//! assert_isolated::<note::Entity>(&test, acme, globex).await;
//! assert_blocks_without_scope(&test).await;
//! assert_enforced(&test).await;
//! # Ok(()) }
//! ```

#[expect(
    clippy::panic,
    clippy::expect_used,
    reason = "an assertion panics when it does not hold"
)]
mod assertions;
#[cfg(feature = "web")]
#[expect(
    clippy::panic,
    clippy::expect_used,
    reason = "an attack panics when its target is not as it says"
)]
mod attack;
#[expect(
    clippy::expect_used,
    reason = "an assertion panics when it does not hold"
)]
mod audited;
mod database;
#[cfg(feature = "identity")]
#[expect(
    clippy::expect_used,
    reason = "an assertion panics when it does not hold"
)]
mod rows;
mod server;

pub use assertions::{
    assert_blocks_without_scope, assert_enforced, assert_isolated, assert_isolated_between,
};
#[cfg(feature = "web")]
pub use attack::{Attack, Attempt, Caller, Case, Report, Side, Target, fingerprint};
pub use audited::{assert_audited, assert_audited_but, assert_proven};
pub use database::{TestDb, TestError};
pub use partywall_audit::Fault;
#[cfg(feature = "identity")]
pub use rows::assert_rows_agree;
pub use server::server;
