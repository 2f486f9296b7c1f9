//! HTML, for people. Works without scripts, and better with them: `assets/pages.js`.

mod account;
pub(super) mod assets;
mod audit;
mod console;
mod exports;
mod invitations;
mod keys;
mod live;
mod mail;
mod members;
pub(super) mod notes;
mod page;
mod problem;
mod roles;
mod sessions;
mod users;
mod wrong;

use partywall::web::Endpoint;

pub(super) use problem::page as problem_page;

use super::Extras;
use crate::{app::App, policies::Policies};

pub(super) fn endpoints(policies: &Policies, extras: Extras) -> Vec<Endpoint<App>> {
    let mut all = Vec::new();
    all.extend(account::endpoints());
    all.extend(users::endpoints());
    all.extend(sessions::endpoints());
    all.extend(members::endpoints(policies));
    all.extend(roles::endpoints());
    all.extend(invitations::endpoints());
    all.extend(keys::endpoints(policies));
    all.extend(audit::endpoints());
    all.extend(exports::endpoints());
    all.extend(live::endpoints());
    all.extend(assets::endpoints());
    if extras.mail {
        all.extend(mail::endpoints());
    }
    if extras.playground {
        all.extend(console::endpoints());
    }
    all
}
