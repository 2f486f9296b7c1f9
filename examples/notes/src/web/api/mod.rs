//! JSON, for programs.

mod accounts;
mod api_keys;
mod audit;
mod comments;
mod groups;
mod invitations;
mod members;
mod roles;
mod session;
mod sessions;
mod sql;
mod staff;
mod tenants;
mod users;

use partywall::web::{Routes, resource::CursorKey};

use super::Extras;
use crate::{
    app::{App, StartError},
    policies::Policies,
};

pub(super) fn routes(
    policies: &Policies,
    extras: Extras,
    cursors: &CursorKey,
) -> Result<Routes<App>, StartError> {
    let routes = Routes::new()
        .extend(session::endpoints())
        .extend(sessions::endpoints())
        .extend(users::endpoints())
        .extend(accounts::endpoints())
        .extend(tenants::endpoints(policies))
        .extend(members::endpoints(policies))
        .extend(roles::endpoints())
        .extend(groups::endpoints())
        .extend(invitations::endpoints())
        .extend(api_keys::endpoints(policies))
        .extend(audit::endpoints())
        .extend(staff::endpoints())
        .merge(comments::routes(policies, cursors)?);
    Ok(match extras.playground {
        true => routes.extend(sql::endpoints()),
        false => routes,
    })
}
