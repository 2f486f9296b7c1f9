use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header::SET_COOKIE},
    response::{IntoResponse as _, Response},
};
use partywall::{
    identity::RequestUser,
    web::{Endpoint, SessionCookie},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    notes::{Items, time},
    web::{Problem, shape::json},
};

#[derive(Serialize, ToSchema)]
#[schema(as = SessionInfo)]
pub(super) struct SessionView {
    id: Uuid,
    created_at: String,
    seen_at: String,
    expires_at: String,
    address: Option<String>,
    agent: Option<String>,
    is_current: bool,
    is_impersonation: bool,
}

pub(super) fn endpoints() -> [Endpoint<App>; 2] {
    [
        Endpoint::get("/sessions", list)
            .named("session.list")
            .signed_in()
            .summary("The visitor's own sessions, the latest first")
            .output(StatusCode::OK, json::<Items<SessionView>>()),
        Endpoint::delete("/sessions/{session}", revoke)
            .named("session.revoke")
            .signed_in()
            .summary("Ends one of the visitor's own sessions")
            .answers(StatusCode::NO_CONTENT),
    ]
}

pub(super) async fn list(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Json<Items<SessionView>>, Problem> {
    let sessions = app.identity.sessions(&user).await?;
    let items = sessions
        .into_iter()
        .map(|session| SessionView {
            id: session.id,
            created_at: time(session.created_at),
            seen_at: time(session.seen_at),
            expires_at: time(session.expires_at),
            address: session.address,
            agent: session.agent,
            is_current: session.is_current,
            is_impersonation: session.is_impersonation,
        })
        .collect();
    Ok(Json(Items { items, next: None }))
}

pub(super) async fn revoke(
    State(app): State<App>,
    user: RequestUser,
    Path(session): Path<Uuid>,
) -> Result<Response, Problem> {
    app.identity.session_revoke(&user, session).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if session == user.session_id {
        let headers = response.headers_mut();
        headers.insert(SET_COOKIE, SessionCookie::cleared());
    }
    Ok(response)
}
