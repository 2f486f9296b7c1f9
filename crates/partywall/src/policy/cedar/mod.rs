//! Policies in the [Cedar](https://www.cedarpolicy.com) language, asked like any other.
//!
//! The policies are text, with a schema or without, and are read when the application starts. Who
//! asks, the action, the request and the object become Cedar's principal, action, context and
//! resource:
//!
//! | Cedar | is | with |
//! |---|---|---|
//! | `principal` | `Account` for members, `Key` for programs, `User` for persons in no tenant and for the staff, `Visitor` for whoever is not known | the attributes of [`PRELUDE`] |
//! | `action` | `Action::"update"` | |
//! | `resource` | what [`resource`](CedarBuilder::resource) says | [`Facts`] of the row |
//! | `context` | the request | `RequestContext` of [`PRELUDE`] |
//!
//! Two annotations mean something: `@id("own drafts")` names a policy in decisions, and `@hide("title")`
//! or `@freeze("title")` makes of a `forbid` a rule for a field.
//!
//! Cedar passes over a policy that cannot be evaluated, be it a `forbid`. Here that is a denial which
//! [failed](crate::policy::Decision::failed), and the log has the error.
//!
//! Cedar makes no SQL. A list shows all rows where no policy that matters looks at the resource, and
//! else what [`rows`](CedarBuilder::rows) says, or nothing.

mod builder;
mod facts;
mod open;
mod policy;
mod rules;
mod subject;
#[cfg(test)]
mod tests;

pub use builder::CedarBuilder;
pub use facts::{Attribute, Facts};
pub use policy::CedarPolicy;

/// What every schema begins with: the types of who asks and of the request. It is added to yours.
pub const PRELUDE: &str = include_str!("prelude.cedarschema");
