//! An attack on every endpoint, made of the routes themselves.
//!
//! Two tenants, A and B, and one that is suspended. Each endpoint is tried, with a good body, by whoever
//! is signed in nowhere, by a member of B, by a member of A with rows of B, by a member of A who may do
//! nothing, and by a member of the suspended tenant. What is foreign has to answer byte for byte as what
//! is not there; no row may have changed. Then B's member asks for B's rows and finds them, and the endpoint
//! is used rightly and has to work: without that, nothing was shown.
//!
//! What was covered is what was sent. An endpoint that has no [`Case`] fails.

#[expect(
    clippy::module_inception,
    reason = "the room is named after its one central noun"
)]
mod attack;
mod case;
mod difference;
mod fingerprint;
mod report;
mod target;

pub use attack::Attack;
pub use case::Case;
pub use fingerprint::fingerprint;
pub use report::{Attempt, Report};
pub use target::{Caller, Side, Target};
