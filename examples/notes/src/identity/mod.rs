//! Who asks, and for which tenant: the only room that vouches for a scope.

mod account;
mod cookie;
mod password;
mod session;
mod sign_in;

pub(crate) use account::{InTenant, SignedIn, tenant_list};
pub(crate) use cookie::{cleared, holding};
pub(crate) use password::{Passwords, hash};
pub(crate) use session::{Token, session_close, session_expire};
pub(crate) use sign_in::sign_in;
