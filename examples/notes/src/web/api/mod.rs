//! JSON, for programs.

mod accounts;
mod api_keys;
mod audit;
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

use partywall::web::Routes;

use super::Extras;
use crate::{app::App, policies::Policies};

pub(super) fn routes(policies: &Policies, extras: Extras) -> Routes<App> {
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
        .extend(staff::endpoints());
    match extras.playground {
        true => routes.extend(sql::endpoints()),
        false => routes,
    }
}
