//! For the support staff. For everybody else there is nothing here.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::{StatusCode, header::SET_COOKIE},
    response::{IntoResponse as _, Response},
};
use partywall::{
    identity::{RequestUser, StaffEntry, TenantSelector},
    web::{Endpoint, SessionCookie},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    notes::{Items, time},
    web::{Problem, shape::json},
};

#[derive(Serialize, ToSchema)]
#[schema(as = StaffEntry)]
pub(super) struct EntryView {
    id: Uuid,
    tenant: TenantView,
    reason: String,
    began_at: String,
    expires_at: String,
    ended_at: Option<String>,
    is_open: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TenantOfEntry)]
struct TenantView {
    id: Uuid,
    slug: String,
    name: String,
}

impl From<StaffEntry> for EntryView {
    fn from(entry: StaffEntry) -> Self {
        Self {
            id: entry.id,
            tenant: TenantView {
                id: entry.tenant,
                slug: entry.slug,
                name: entry.tenant_name,
            },
            reason: entry.reason,
            began_at: time(entry.began_at),
            expires_at: time(entry.expires_at),
            ended_at: entry.ended_at.map(time),
            is_open: entry.is_open,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewStaffEntry)]
pub(super) struct Enter {
    /// An id or a slug.
    tenant: String,
    reason: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewImpersonation)]
pub(super) struct Act {
    tenant: String,
    account: String,
    reason: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Impersonation)]
struct Acting {
    /// As whom.
    user: Uuid,
    expires_at: String,
}

pub(super) fn endpoints() -> [Endpoint<App>; 5] {
    [
        Endpoint::get("/staff/entries", list)
            .named("staff_entry.list")
            .signed_in()
            .summary("One's stays in tenants; for the staff, and for others there is nothing")
            .output(StatusCode::OK, json::<Items<EntryView>>()),
        Endpoint::post("/staff/entries", enter)
            .named("staff_entry.create")
            .signed_in()
            .summary("Enters a tenant, with a reason; for the staff")
            .input(json::<Enter>())
            .output(StatusCode::CREATED, json::<EntryView>()),
        Endpoint::delete("/staff/entries/{entry}", leave)
            .named("staff_entry.delete")
            .signed_in()
            .summary("Ends a stay; for the staff")
            .answers(StatusCode::NO_CONTENT),
        Endpoint::post("/staff/impersonation", impersonate)
            .named("impersonation.create")
            .signed_in()
            .summary("Acts as somebody, with a reason; for the staff inside of a tenant")
            .input(json::<Act>())
            .output(StatusCode::CREATED, json::<Acting>()),
        Endpoint::delete("/staff/impersonation", impersonation_stop)
            .named("impersonation.delete")
            .signed_in()
            .summary("Ends that; for the staff")
            .answers(StatusCode::NO_CONTENT),
    ]
}

/// A body that names another tenant than the current one, on purpose.
type Body<T> = Result<Json<T>, JsonRejection>;

/// Whoever is not of the staff is not told what is wrong with the body.
fn read<T>(user: &RequestUser, body: Body<T>) -> Result<T, Problem> {
    if !user.is_staff && user.impersonator.is_none() {
        return Err(Problem::not_found());
    }
    let Json(body) = body.map_err(|rejection| Problem::invalid(rejection.body_text()))?;
    Ok(body)
}

pub(super) async fn enter(
    State(app): State<App>,
    user: RequestUser,
    body: Body<Enter>,
) -> Result<(StatusCode, Json<EntryView>), Problem> {
    let Enter { tenant, reason } = read(&user, body)?;
    let tenant = TenantSelector::parse(&tenant);
    let entry = app.identity.staff_enter(&user, tenant, &reason).await?;
    Ok((StatusCode::CREATED, Json(entry.into())))
}

pub(super) async fn list(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Json<Items<EntryView>>, Problem> {
    let entries = app.identity.staff_entries(&user).await?;
    let items = entries.into_iter().map(EntryView::from).collect();
    Ok(Json(Items { items, next: None }))
}

pub(super) async fn leave(
    State(app): State<App>,
    user: RequestUser,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.identity.staff_leave(&user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The answer's cookie is the session in which the member of the staff acts as somebody.
pub(super) async fn impersonate(
    State(app): State<App>,
    user: RequestUser,
    body: Body<Act>,
) -> Result<Response, Problem> {
    let wanted = read(&user, body)?;
    let tenant = TenantSelector::parse(&wanted.tenant);
    let account = Uuid::try_parse(&wanted.account).map_err(|_| Problem::not_found())?;
    let acting = app
        .identity
        .impersonate(&user, tenant, account, &wanted.reason)
        .await?;
    let cookie = [(
        SET_COOKIE,
        SessionCookie::holding(&app.identity, &acting.token),
    )];
    let view = Acting {
        user: acting.user,
        expires_at: time(acting.expires_at),
    };
    Ok((StatusCode::CREATED, cookie, Json(view)).into_response())
}

/// The answer's cookie is the own session again, or none where that has ended.
pub(super) async fn impersonation_stop(
    State(app): State<App>,
    user: RequestUser,
) -> Result<Response, Problem> {
    let own = app.identity.impersonation_stop(&user).await?;
    let cookie = match &own {
        Some(token) => SessionCookie::holding(&app.identity, token),
        None => SessionCookie::cleared(),
    };
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}
