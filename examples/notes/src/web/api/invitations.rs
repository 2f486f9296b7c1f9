use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse as _, Response},
};
use partywall::{
    identity::{Accepted, EmailAddress, Invitation, RequestAccount, RequestUser},
    web::{self, ClientAddress, Endpoint, Found, SessionCookie},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    notes::{Items, time},
    web::{Problem, fields::Body, parameters::InvitationId, shape::json},
};

#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
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

#[derive(Deserialize, ToSchema)]
pub(super) struct NewInvitation {
    email: String,
    /// A role's name or id.
    role: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AcceptInvitation)]
pub(super) struct Accept {
    token: String,
    /// Of somebody new.
    password: Option<String>,
    /// What stands before the `@` where there is none.
    name: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Invited {
    id: Uuid,
    email: String,
    role: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedInvitation)]
struct AcceptedView {
    account: Uuid,
    user: Uuid,
    tenant: TenantView,
    was_member: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TenantOfInvitation)]
struct TenantView {
    id: Uuid,
    slug: String,
}

pub(super) fn endpoints() -> [Endpoint<App>; 5] {
    [
        Endpoint::get("/tenants/{tenant}/invitations", list)
            .named("invitation.list")
            .require("invitation.read")
            .summary("The invitations that are open, the newest first")
            .output(StatusCode::OK, json::<Items<InvitationView>>()),
        Endpoint::post("/tenants/{tenant}/invitations", add)
            .named("invitation.create")
            .require("invitation.write")
            .summary("Invites somebody by mail")
            .input(json::<NewInvitation>())
            .output(StatusCode::CREATED, json::<Invited>()),
        Endpoint::delete("/tenants/{tenant}/invitations/{invitation}", remove)
            .named("invitation.delete")
            .require("invitation.write")
            .summary("Takes an invitation back")
            .answers(StatusCode::NO_CONTENT),
        Endpoint::post("/tenants/{tenant}/invitations/{invitation}/resend", resend)
            .named("invitation.resend")
            .require("invitation.write")
            .on_parent()
            .summary("Mails a new link")
            .answers(StatusCode::NO_CONTENT)
            .output(StatusCode::TOO_MANY_REQUESTS, web::Body::problem()),
        Endpoint::post("/invitations/accept", accept)
            .named("invitation.accept")
            .public("the link that was mailed is the proof, and somebody new has no account yet")
            .summary("Follows the link of an invitation")
            .input(json::<Accept>())
            .output(StatusCode::CREATED, json::<AcceptedView>())
            // Of somebody who is neither signed in nor new, and of somebody else.
            .output(StatusCode::UNAUTHORIZED, web::Body::problem())
            .output(StatusCode::FORBIDDEN, web::Body::problem())
            .output(StatusCode::CONFLICT, web::Body::problem()),
    ]
}

pub(super) async fn list(account: RequestAccount) -> Result<Json<Items<InvitationView>>, Problem> {
    let list = account.invitation_list().await?;
    let items = list.into_iter().map(InvitationView::from).collect();
    Ok(Json(Items { items, next: None }))
}

pub(super) async fn add(
    account: RequestAccount,
    Body(body): Body<NewInvitation>,
) -> Result<(StatusCode, Json<Invited>), Problem> {
    let NewInvitation { email, role } = body;
    let email = EmailAddress::parse(&email)?;
    let id = account.invite(&email, &role).await?;
    let view = Invited {
        id,
        email: email.as_typed().to_owned(),
        role,
    };
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn remove(
    account: RequestAccount,
    Found(InvitationId(id)): Found<InvitationId>,
) -> Result<StatusCode, Problem> {
    account.invitation_revoke(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn resend(
    account: RequestAccount,
    Found(InvitationId(id)): Found<InvitationId>,
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
    Body(body): Body<Accept>,
) -> Result<Response, Problem> {
    let Accept {
        token,
        name,
        password,
    } = body;
    let identity = &app.identity;
    let problem = match user {
        Ok(user) => {
            let accepted = identity.invitation_accept(&user, &token).await?;
            return Ok((StatusCode::CREATED, Json(AcceptedView::from(accepted))).into_response());
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
    Ok((
        StatusCode::CREATED,
        cookie,
        Json(AcceptedView::from(accepted)),
    )
        .into_response())
}

impl From<Accepted> for AcceptedView {
    fn from(accepted: Accepted) -> Self {
        Self {
            account: accepted.account,
            user: accepted.user,
            tenant: TenantView {
                id: accepted.tenant,
                slug: accepted.slug,
            },
            was_member: accepted.was_member,
        }
    }
}
