//! Which database, by which login, and one connection to it. No password leaves this folder but to the server, or
//! into the environment of a child that asked for it.

mod login;
mod options;
mod passfile;
mod session;
mod url;

pub(crate) use login::Login;
pub(crate) use options::startup_options;
pub(crate) use session::Session;
