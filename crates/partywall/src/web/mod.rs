//! axum: who asks, as extractors, and what a stranger is told.
//!
//! ```no_run
//! use axum::{Router, extract::FromRef, routing::get};
//! use partywall::{identity::{Identity, RequestAccount, RequestUser}, web::Problem};
//!
//! #[derive(Clone)]
//! struct App { identity: Identity }
//!
//! impl FromRef<App> for Identity {
//!     fn from_ref(app: &App) -> Self { app.identity.clone() }
//! }
//!
//! async fn hello(user: RequestUser) -> String { format!("hello {}", user.name) }
//!
//! async fn notes(account: RequestAccount) -> Result<String, Problem> {
//!     account.require("note.read")?;
//!     Ok(format!("the notes of {}", account.tenant().name))
//! }
//!
//! let router: Router<App> = Router::new()
//!     .route("/me", get(hello))
//!     .route("/tenants/{tenant}/notes", get(notes));
//! ```

mod account;
mod authenticated;
mod client;
mod cookie;
mod cross_site;
mod events;
mod field_error;
mod openapi;
mod problem;
pub mod resource;
mod routes;
#[cfg(feature = "swagger")]
mod swagger;
mod user;

pub use client::ClientAddress;
pub use cookie::SessionCookie;
pub use cross_site::refuse_cross_site;
pub use events::{EventStream, Events};
pub use field_error::FieldError;
pub use problem::Problem;
#[doc(hidden)]
pub use routes::fuzz;
pub use routes::{
    Access, Answers, Bare, Body, CanonicalId, Endpoint, Found, Parameter, Permitted, Query,
    RequestId, Routes, RoutesError, TenantSource, Writing,
};
#[cfg(feature = "swagger")]
pub use swagger::{swagger, swagger_parameter};
