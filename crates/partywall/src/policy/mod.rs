//! What somebody may do, to which rows and which fields: one value that says it all.
//!
//! A [`Policy`] is a list of statements: who, which actions, allowed or denied, on what condition. A
//! deny wins whatever its place. What nothing allows is denied. The same statements choose the rows of
//! a list, and the policy says which fields are hidden and which are frozen. It needs no server and no
//! database to be asked, and prints itself as a [table](Decide::table).
//!
//! ```
//! # mod note {
//! #     use sea_orm::entity::prelude::*;
//! #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
//! #     #[sea_orm(table_name = "note")]
//! #     pub struct Model {
//! #         #[sea_orm(primary_key, auto_increment = false)]
//! #         pub id: Uuid,
//! #         pub author_id: Option<Uuid>,
//! #         pub is_archived: bool,
//! #     }
//! #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
//! #     pub enum Relation {}
//! #     impl ActiveModelBehavior for ActiveModel {}
//! # }
//! use partywall::policy::{
//!     Action, Actions, Decide, Policy, PolicyError, Principal, Question, RequestFacts, Rule, Subject,
//! };
//! use uuid::Uuid;
//!
//! let policy = Policy::<note::Model>::new("note")
//!     .allow("read", Principal::permission("note.read"), Actions::read_only())
//!     .allow_if(
//!         "own notes",
//!         Principal::member(),
//!         Actions::named(["update", "delete"]),
//!         Rule::own("author", note::Column::AuthorId, |note| note.author_id),
//!     )
//!     .deny_if(
//!         "archived",
//!         Principal::anyone(),
//!         Actions::named(["update", "delete"]),
//!         Rule::column("archived", note::Column::IsArchived, true, |note| note.is_archived),
//!     )
//!     .hide_unless("internal_remark", Principal::permission("note.secret"))
//!     .freeze("author_id")
//!     .build()?;
//!
//! let (tenant, bob) = (Uuid::now_v7(), Uuid::now_v7());
//! let note = note::Model { id: Uuid::now_v7(), author_id: Some(bob), is_archived: true };
//! let question = Question {
//!     subject: &Subject::member(tenant, bob),
//!     action: &Action::new("update", "PATCH"),
//!     request: &RequestFacts::new("PATCH", "/notes/1"),
//!     object: Some(&note),
//! };
//! let decision = policy.decide(&question);
//! assert!(!decision.is_allowed());
//! assert_eq!(decision.reason(), "note: `update` is denied by `archived`");
//! # Ok::<(), PolicyError>(())
//! ```
//!
//! # Without an object
//!
//! A condition on the object has no answer where there is none: an allow does not match and a deny
//! does, and the decision [says so](Decision::needs_object), since an object could change it. So a
//! *list* is refused where [`rows`](Decide::rows) are [`Rows::None`]; a *creation* whose decision needs
//! the object is asked again with the row that was inserted, before the transaction commits.

mod action;
#[cfg(test)]
mod algebra;
mod builder;
#[cfg(feature = "cedar")]
pub mod cedar;
mod decide;
mod decision;
mod error;
mod fields;
mod matrix;
#[expect(clippy::module_inception, reason = "one noun a file")]
mod policy;
mod principal;
mod request;
mod rows;
mod rule;
mod shorthand;
mod statement;
mod subject;
mod table;
mod truth;

pub use action::{Action, Actions};
pub use builder::PolicyBuilder;
pub use decide::{Decide, Question};
pub use decision::{Decided, Decision, Effect};
pub use error::{PolicyError, PolicyErrorKind};
pub use fields::Fields;
pub use matrix::matrix;
pub use policy::Policy;
pub use principal::{Principal, RoleName};
pub use request::RequestFacts;
pub use rows::Rows;
pub use rule::Rule;
pub use shorthand::{anyone, authenticated, require};
pub use subject::Subject;
