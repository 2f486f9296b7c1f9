//! JSON, for programs.

mod api_keys;
mod audit;
mod comments;
mod invitations;
mod notes;
mod session;
mod sql;
mod staff;
mod tenants;

use axum::{
    Router,
    routing::{delete, get, post},
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
        .route("/tenants", get(tenants::list))
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
