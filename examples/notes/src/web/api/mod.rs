//! JSON, for programs.

mod accounts;
mod api_keys;
mod audit;
mod comments;
mod groups;
mod invitations;
mod members;
mod notes;
mod roles;
mod session;
mod sessions;
mod sql;
mod staff;
mod tenants;
mod users;

use axum::{
    Router,
    routing::{delete, get, patch, post, put},
};

use super::{Problem, method};
use crate::app::App;

pub(super) fn router(app: &App) -> Router<App> {
    let router = Router::new()
        .route(
            "/session",
            get(session::show)
                .post(session::open)
                .delete(session::close),
        )
        .route("/session/account", post(session::switch))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}", delete(sessions::revoke))
        .route("/users", post(users::sign_up))
        .route("/users/verify", post(users::verify))
        .route("/users/reset", post(users::reset))
        .route("/users/reset/confirm", post(users::reset_confirm))
        .route("/users/password", post(users::password))
        .route("/users/deactivate", post(users::deactivate))
        .route("/accounts", get(accounts::list))
        .route("/tenants", get(tenants::list).post(tenants::add))
        .route(
            "/tenants/{tenant}",
            get(tenants::show)
                .patch(tenants::change)
                .delete(tenants::remove),
        )
        .route("/tenants/{tenant}/restore", post(tenants::restore))
        .route("/tenants/{tenant}/export", get(tenants::export))
        .route("/tenants/{tenant}/transfer", post(tenants::transfer))
        .route("/tenants/{tenant}/leave", post(tenants::leave))
        .route("/tenants/{tenant}/who", get(tenants::who))
        .route("/tenants/{tenant}/members", get(members::list))
        .route(
            "/tenants/{tenant}/members/{id}",
            get(members::show)
                .patch(members::change)
                .delete(members::remove),
        )
        .route(
            "/tenants/{tenant}/members/{id}/grants/{permission}",
            put(members::grant).delete(members::grant_take),
        )
        .route("/tenants/{tenant}/roles", get(roles::list).post(roles::add))
        .route(
            "/tenants/{tenant}/roles/{id}",
            patch(roles::change).delete(roles::remove),
        )
        .route(
            "/tenants/{tenant}/groups",
            get(groups::list).post(groups::add),
        )
        .route(
            "/tenants/{tenant}/groups/{id}",
            patch(groups::change).delete(groups::remove),
        )
        .route("/staff/tenants/{id}/suspend", post(tenants::suspend))
        .route("/staff/tenants/{id}/resume", post(tenants::resume))
        .route(
            "/tenants/{tenant}/invitations",
            get(invitations::list).post(invitations::add),
        )
        .route(
            "/tenants/{tenant}/invitations/{id}",
            delete(invitations::remove),
        )
        .route(
            "/tenants/{tenant}/invitations/{id}/resend",
            post(invitations::resend),
        )
        .route("/invitations/accept", post(invitations::accept))
        .route(
            "/tenants/{tenant}/api-keys",
            get(api_keys::list).post(api_keys::add),
        )
        .route("/tenants/{tenant}/api-keys/{id}", delete(api_keys::remove))
        .route("/tenants/{tenant}/audit", get(audit::list))
        .route("/staff/entries", get(staff::list).post(staff::enter))
        .route("/staff/entries/{id}", delete(staff::leave))
        .route(
            "/staff/impersonation",
            post(staff::impersonate).delete(staff::impersonation_stop),
        )
        .route("/tenants/{tenant}/notes", get(notes::list).post(notes::add))
        .route(
            "/tenants/{tenant}/notes/{note}",
            get(notes::show).patch(notes::change).delete(notes::remove),
        )
        .route(
            "/tenants/{tenant}/notes/{note}/comments",
            get(comments::list).post(comments::add),
        );
    let router = match app.playground {
        Some(_) => router.route("/tenants/{tenant}/sql", post(sql::run)),
        None => router,
    };
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(method::not_allowed)
}
