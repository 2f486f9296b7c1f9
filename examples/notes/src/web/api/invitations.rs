use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse as _, Response},
};
use partywall::{
    identity::{Accepted, EmailAddress, Invitation, RequestAccount, RequestUser},
    web::{ClientAddress, SessionCookie},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::App,
    notes::{Items, time},
    web::{Problem, fields::Body, path_id::PathId},
};

#[derive(Serialize)]
pub(super) struct InvitationView {
    id: Uuid,
    email: String,
    role: Option<String>,
    invited_by: Option<String>,
    created_at: String,
    sent_at: String,
    expires_at: String,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            invited_by: invitation.inviter,
            created_at: time(invitation.created_at),
            sent_at: time(invitation.sent_at),
            expires_at: time(invitation.expires_at),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct NewInvitation {
    email: String,
    /// A role's name or id.
    role: String,
}

#[derive(Deserialize)]
pub(super) struct Accept {
    token: String,
    /// Of somebody new.
    password: Option<String>,
    /// What stands before the `@` where there is none.
    name: Option<String>,
}

pub(super) async fn list(account: RequestAccount) -> Result<Json<Items<InvitationView>>, Problem> {
    let list = account.invitation_list().await?;
    let items = list.into_iter().map(InvitationView::from).collect();
    Ok(Json(Items { items, next: None }))
}

pub(super) async fn add(
    account: RequestAccount,
    body: Body<NewInvitation>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    account.require("invitation.write")?;
    let NewInvitation { email, role } = body.read()?;
    let email = EmailAddress::parse(&email)?;
    let id = account.invite(&email, &role).await?;
    let view = json!({ "id": id, "email": email.as_typed(), "role": role });
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn remove(
    account: RequestAccount,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    account.invitation_revoke(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn resend(
    account: RequestAccount,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    account.invitation_resend(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// By whoever is signed in; by somebody new with a password, who is signed in with it.
pub(super) async fn accept(
    State(app): State<App>,
    user: Result<RequestUser, Problem>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    body: Body<Accept>,
) -> Result<Response, Problem> {
    let Accept {
        token,
        name,
        password,
    } = body.read()?;
    let identity = &app.identity;
    let problem = match user {
        Ok(user) => {
            let accepted = identity.invitation_accept(&user, &token).await?;
            return Ok((StatusCode::CREATED, Json(view(&accepted))).into_response());
        }
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => problem,
        Err(problem) => return Err(problem),
    };
    let email = identity.invitation_show(&token).await?.email;
    let Some(password) = password else {
        return Err(problem);
    };
    let local = || email.split('@').next().unwrap_or_default().to_owned();
    let name = name.unwrap_or_else(local);
    let address = Some(address);
    let accepted = identity
        .invitation_accept_new(&token, &name, &password, address)
        .await?;
    let previous = SessionCookie::read(&headers);
    let (token, _) = identity
        .sign_in(&email, &password, address, None, previous.as_ref())
        .await?;
    let cookie = [(SET_COOKIE, SessionCookie::holding(identity, &token))];
    Ok((StatusCode::CREATED, cookie, Json(view(&accepted))).into_response())
}

fn view(accepted: &Accepted) -> Value {
    json!({
        "account": accepted.account,
        "user": accepted.user,
        "tenant": { "id": accepted.tenant, "slug": accepted.slug },
        "was_member": accepted.was_member,
    })
}
