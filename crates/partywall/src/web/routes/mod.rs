//! Routes as a value that lists its endpoints, and the one place where access is checked.
//!
//! ```
//! use axum::{Json, extract::FromRef};
//! use partywall::{
//!     identity::{BuiltIn, Identity, Permissions, RequestAccount},
//!     web::{Endpoint, Problem, Routes},
//! };
//!
//! #[derive(Clone)]
//! struct App { identity: Identity }
//! impl FromRef<App> for Identity {
//!     fn from_ref(app: &App) -> Self { app.identity.clone() }
//! }
//!
//! async fn show(account: RequestAccount) -> Result<Json<String>, Problem> {
//!     Ok(Json(account.tenant().name.clone()))
//! }
//!
//! let routes: Routes<App> = Routes::new()
//!     .route(Endpoint::get("/tenants/{tenant}/name", show).named("name.show").require("name.read"));
//!
//! let permissions = Permissions::new().declare("name.read", BuiltIn::Viewer)?;
//! routes.check(&permissions)?;
//! assert_eq!(routes.endpoints().count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A request flows through it in this order, and each step answers before the next one looks:
//! who asks (401), what they are in the tenant (404, and 403 for a suspended one), the rows that the
//! path names (404), what the policy says (403), whether the address has the method (405), and only
//! then the handler, which reads the query and the body.

mod access;
mod admitted;
mod answers;
mod chain;
mod check;
mod dispatch;
mod endpoint;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod parameter;
mod pattern;
#[expect(
    clippy::module_inception,
    reason = "the room is named after its one central noun"
)]
mod routes;
mod schema;
mod table;
mod tenant;

pub use access::Access;
pub use admitted::{Found, Permitted, Writing};
pub use answers::{Answers, RequestId};
pub use endpoint::Endpoint;
pub use error::RoutesError;
pub use parameter::{CanonicalId, Parameter};
pub use routes::{Bare, Routes};
pub use schema::{Body, Query};
pub use tenant::TenantSource;

pub(super) use admitted::Admitted;
pub(super) use tenant::TENANT;
