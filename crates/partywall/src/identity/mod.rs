//! One login, many accounts.
//!
//! Signing in says *who* somebody is: a [`RequestUser`]. Their [account](model::account) in a tenant,
//! the membership, says *what* they may do there: a [`RequestAccount`]. Permissions are asked of the
//! account and never of the user:
//!
//! ```no_run
//! # use partywall::identity::{Error, RequestAccount};
//! # async fn publish(account: RequestAccount) -> Result<(), Error> {
//! account.require("note.publish")?;
//! let tx = account.write().await?;
//! # let _ = tx; Ok(()) }
//! ```
//!
//! The room's own tables are behind the wall as well, under a login of their own: a statement of the
//! application's, injected or not, reads no password, signs nobody in and gives nobody a role.

mod account;
mod api_key;
mod audit;
mod authenticate;
mod change;
mod current_account;
mod deactivate;
mod domain;
mod email;
mod error;
mod event;
mod export;
mod grant;
mod group;
mod hostname;
mod impersonation;
mod import;
mod invitation;
mod known;
mod mailer;
mod member;
mod outbox;
mod password;
mod permissions;
mod purge;
mod reset;
mod rights;
mod role;
mod role_set;
mod secret;
mod service;
mod session;
mod settings;
mod sign_in;
mod sign_up;
mod slug;
mod staff;
#[cfg(feature = "web")]
mod streams;
mod tenant;
mod throttle;
mod transfer;
mod watch;

pub mod model;

#[cfg(feature = "jobs")]
pub(crate) use audit::Who;

#[cfg(feature = "jobs")]
pub(crate) use account::account_hold;
pub use account::{Actor, RequestAccount, TenantInfo};
pub use api_key::NewKey;
pub use audit::{AuditEntry, AuditQuery};
pub use authenticate::{Authenticated, RequestUser, TenantSelector};
pub use current_account::AccountInfo;
pub use domain::{Rechecked, TxtLookup};
pub use email::EmailAddress;
pub use error::{Error, ErrorKind};
pub use event::Event;
pub use group::{Group, GroupChange};
pub use hostname::Hostname;
pub use impersonation::Impersonation;
pub use import::{ImportError, ImportErrorKind, Imported, NewTenant};
pub use invitation::{Accepted, Invitation, InvitationView};
pub use mailer::{Mailer, SentMail};
pub use member::{Member, MemberChange};
pub use permissions::{BuiltIn, PermissionSet, Permissions};
pub use purge::{Progress, Purged};
pub use role::{Role, RoleChange};
pub use role_set::RoleSet;
pub use secret::{ApiKey, SessionToken};
pub use service::Identity;
pub use session::SessionInfo;
pub use settings::Settings;
pub use staff::StaffEntry;
#[cfg(feature = "web")]
pub(crate) use streams::{Full, OpenStream};
pub use tenant::TenantChange;

use crate::scope::Dimension;

/// The dimension of what belongs to a person and to no tenant.
pub const USER: Dimension = Dimension::new("user");

/// The dimension of what belongs to an address: all that is known of somebody before their password
/// was checked. Its values are in canonical form.
pub const EMAIL: Dimension<String> = Dimension::new("email");
