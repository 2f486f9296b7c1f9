//! HTML, for people. Works without scripts, and better with them: `assets/pages.js`.

mod account;
mod assets;
mod audit;
mod console;
mod invitations;
mod keys;
mod live;
mod mail;
mod members;
mod notes;
mod page;
mod problem;
mod roles;
mod sessions;
mod users;
mod wrong;

use axum::{
    Router, middleware,
    routing::{get, post},
};

use super::{Problem, method};
use crate::app::App;

pub(super) fn router(app: &App) -> Router<App> {
    let router = Router::new()
        .route("/", get(account::start))
        .route("/sign-in", get(account::form).post(account::open))
        .route("/sign-out", post(account::close))
        .route("/sign-up", get(users::sign_up_form).post(users::sign_up))
        .route("/verify", get(users::verify_form).post(users::verify))
        .route(
            "/forgotten",
            get(users::forgotten_form).post(users::forgotten),
        )
        .route("/reset", get(users::reset_form).post(users::reset))
        .route("/sessions", get(sessions::list))
        .route("/sessions/others", post(sessions::revoke_others))
        .route("/sessions/{id}/revoke", post(sessions::revoke))
        .route("/password", post(sessions::password))
        .route("/deactivate", post(sessions::deactivate))
        .route("/tenants", get(account::tenants))
        .route("/switch", post(account::switch))
        .route("/t/{tenant}", get(notes::list))
        .route("/t/{tenant}/notes", post(notes::add))
        .route("/t/{tenant}/events", get(live::events))
        .route("/t/{tenant}/new", get(notes::new))
        .route("/t/{tenant}/notes/{note}", get(notes::show))
        .route(
            "/t/{tenant}/notes/{note}/edit",
            get(notes::edit).post(notes::change),
        )
        .route(
            "/t/{tenant}/notes/{note}/delete",
            get(notes::ask).post(notes::remove),
        )
        .route("/t/{tenant}/notes/{note}/comments", post(notes::comment))
        .route(
            "/t/{tenant}/invitations",
            get(invitations::list).post(invitations::add),
        )
        .route(
            "/t/{tenant}/invitations/{id}/resend",
            post(invitations::resend),
        )
        .route(
            "/t/{tenant}/invitations/{id}/revoke",
            post(invitations::revoke),
        )
        .route(
            "/invitation",
            get(invitations::show).post(invitations::accept),
        )
        .route("/t/{tenant}/keys", get(keys::list).post(keys::add))
        .route("/t/{tenant}/keys/{id}/revoke", post(keys::revoke))
        .route("/t/{tenant}/audit", get(audit::list))
        .route("/t/{tenant}/members", get(members::list))
        .route("/t/{tenant}/members/{id}", post(members::change))
        .route("/t/{tenant}/members/{id}/remove", post(members::remove))
        .route("/t/{tenant}/leave", post(members::leave))
        .route("/t/{tenant}/roles", get(roles::list).post(roles::add))
        .route("/t/{tenant}/roles/{id}/delete", post(roles::remove))
        .merge(assets::router());
    let router = match app.mailer.is_folder() {
        true => router.route("/dev/mail", get(mail::list)),
        false => router,
    };
    let router = match app.playground {
        Some(_) => router.route("/t/{tenant}/sql", get(console::form).post(console::run)),
        None => router,
    };
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(method::not_allowed)
        .layer(middleware::from_fn(problem::page))
}
