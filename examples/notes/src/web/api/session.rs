use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{SET_COOKIE, USER_AGENT},
    },
    response::IntoResponse,
};
use partywall::{
    identity::{RequestAccount, RequestUser},
    web::{self, ClientAddress, Endpoint, SessionCookie},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    web::{Problem, fields::Body, shape::json},
};

#[derive(Deserialize, ToSchema)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = WantedAccount)]
pub(super) struct Wanted {
    /// The account's id.
    #[schema(value_type = String)]
    account: Value,
}

/// Who is signed in, and the account that is current where an address names no tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    user: Option<UserView>,
    account: Option<AccountView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Switched)]
pub(super) struct SwitchedView {
    account: AccountView,
}

#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserView {
    id: Uuid,
    email: String,
    name: String,
    is_staff: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CurrentAccount)]
struct AccountView {
    id: Option<Uuid>,
    name: String,
    tenant: TenantView,
    permissions: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CurrentTenant)]
struct TenantView {
    id: Uuid,
    slug: String,
    name: String,
}

pub(super) fn endpoints() -> [Endpoint<App>; 4] {
    [
        Endpoint::get("/session", show)
            .named("session.retrieve")
            .signed_in()
            .summary("Who is signed in, and their current account")
            .output(StatusCode::OK, json::<SessionView>()),
        Endpoint::post("/session", open)
            .named("session.create")
            .public("it is how one signs in")
            .summary("Signs in with an address and a password")
            .input(json::<Credentials>())
            .output(StatusCode::OK, json::<SessionView>())
            .output(StatusCode::UNAUTHORIZED, web::Body::problem()),
        Endpoint::delete("/session", close)
            .named("session.delete")
            .signed_in()
            .summary("Signs out")
            .answers(StatusCode::NO_CONTENT),
        Endpoint::post("/session/account", switch)
            .named("session.switch")
            .signed_in()
            .summary("Makes another of the visitor's accounts the current one")
            .input(json::<Wanted>())
            .output(StatusCode::OK, json::<SwitchedView>()),
    ]
}

pub(super) async fn open(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Body(credentials): Body<Credentials>,
) -> Result<impl IntoResponse, Problem> {
    let previous = SessionCookie::read(&headers);
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let (token, found) = app
        .identity
        .sign_in(
            &credentials.email,
            &credentials.password,
            Some(address),
            agent,
            previous.as_ref(),
        )
        .await?;
    let cookie = SessionCookie::holding(&app.identity, &token);
    let view = SessionView {
        user: found.user.as_ref().map(UserView::from),
        account: found.account().ok().as_ref().map(AccountView::from),
    };
    Ok(([(SET_COOKIE, cookie)], Json(view)))
}

pub(super) async fn show(
    user: RequestUser,
    account: Result<RequestAccount, Problem>,
) -> Json<SessionView> {
    Json(SessionView {
        user: Some(UserView::from(&user)),
        account: account.ok().as_ref().map(AccountView::from),
    })
}

pub(super) async fn close(
    State(app): State<App>,
    user: RequestUser,
) -> Result<impl IntoResponse, Problem> {
    app.identity.sign_out(&user).await?;
    Ok((
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, SessionCookie::cleared())],
    ))
}

pub(super) async fn switch(
    State(app): State<App>,
    user: RequestUser,
    Body(wanted): Body<Wanted>,
) -> Result<Json<SwitchedView>, Problem> {
    // What is no text is nobody's id, like any other.
    let account = app
        .identity
        .switch(&user, wanted.account.as_str().unwrap_or_default())
        .await?;
    Ok(Json(SwitchedView {
        account: AccountView::from(&account),
    }))
}

impl From<&RequestUser> for UserView {
    fn from(user: &RequestUser) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            is_staff: user.is_staff,
        }
    }
}

impl From<&RequestAccount> for AccountView {
    fn from(account: &RequestAccount) -> Self {
        let tenant = account.tenant();
        Self {
            id: account.id(),
            name: account.actor().name().to_owned(),
            tenant: TenantView {
                id: tenant.id,
                slug: tenant.slug.clone(),
                name: tenant.name.clone(),
            },
            permissions: account.permissions().iter().map(str::to_owned).collect(),
        }
    }
}
