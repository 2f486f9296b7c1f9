use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Redirect, Response},
};
use partywall::{
    identity::{EmailAddress, Error, Invitation, InvitationView, RequestAccount, RequestUser},
    web::{self, ClientAddress, Endpoint, Found, SessionCookie},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    page::{Page, Top},
    wrong::Wrong,
};
use crate::{
    app::App,
    notes::time,
    web::{
        NO_STORE, Problem,
        fields::Fields,
        parameters::InvitationId,
        shape::{form, html},
    },
};

#[derive(Template)]
#[template(path = "invitations.html")]
struct InvitationsPage {
    top: Top,
    invitations: Vec<Invitation>,
    email: String,
    role: String,
    problem: Option<Wrong>,
}

impl InvitationsPage {
    fn until(&self, invitation: &Invitation) -> String {
        time(invitation.expires_at)
    }
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    token: String,
    invitation: InvitationView,
    /// Who is signed in.
    user: Option<RequestUser>,
    name: String,
    problem: Option<Wrong>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = InvitationForm)]
pub(super) struct NewInvitation {
    email: String,
    role: String,
}

#[derive(Default, Deserialize, IntoParams)]
pub(super) struct Link {
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AcceptInvitationForm)]
pub(super) struct Accept {
    token: String,
    name: Option<String>,
    password: Option<String>,
}

pub(super) fn endpoints() -> [Endpoint<App>; 6] {
    [
        Endpoint::get("/t/{tenant}/invitations", list)
            .named("page.invitation.list")
            .require("invitation.read")
            .summary("The invitations that are open")
            .output(StatusCode::OK, html()),
        Endpoint::post("/t/{tenant}/invitations", add)
            .named("page.invitation.create")
            .require("invitation.write")
            .summary("Invites somebody by mail")
            .input(form::<NewInvitation>())
            .answers(StatusCode::SEE_OTHER),
        Endpoint::post("/t/{tenant}/invitations/{invitation}/resend", resend)
            .named("page.invitation.resend")
            .require("invitation.write")
            .on_parent()
            .summary("Mails a new link")
            .answers(StatusCode::SEE_OTHER),
        Endpoint::post("/t/{tenant}/invitations/{invitation}/revoke", revoke)
            .named("page.invitation.delete")
            .require("invitation.write")
            .on_parent()
            .summary("Takes an invitation back")
            .answers(StatusCode::SEE_OTHER),
        Endpoint::get("/invitation", show)
            .named("page.invitation.retrieve")
            .public("the link that was mailed is the proof; looking at it does nothing")
            .summary("Asks whether to accept an invitation")
            .query(web::Query::of::<Link>())
            .output(StatusCode::OK, html()),
        Endpoint::post("/invitation", accept)
            .named("page.invitation.accept")
            .public("the link that was mailed is the proof, and somebody new has no account yet")
            .summary("Accepts an invitation")
            .input(form::<Accept>())
            .answers(StatusCode::SEE_OTHER),
    ]
}

pub(super) async fn list(
    State(app): State<App>,
    account: RequestAccount,
) -> Result<Page<impl Template>, Problem> {
    page(&app, &account, None).await.map(Page)
}

async fn page(
    app: &App,
    account: &RequestAccount,
    problem: Option<Wrong>,
) -> Result<InvitationsPage, Problem> {
    Ok(InvitationsPage {
        invitations: account.invitation_list().await?,
        top: Top::new(account, app),
        email: String::new(),
        role: "member".to_owned(),
        problem,
    })
}

pub(super) async fn add(
    State(app): State<App>,
    account: RequestAccount,
    Fields(NewInvitation { email, role }): Fields<NewInvitation>,
) -> Result<Response, Problem> {
    let invited = match EmailAddress::parse(&email) {
        Ok(address) => account.invite(&address, &role).await.map(|_| ()),
        Err(error) => Err(error),
    };
    let mut page = match refused(invited)? {
        None => return Ok(to_list(&account, "sent").into_response()),
        Some(problem) => (
            problem.status(),
            page(&app, &account, Some(Wrong::new(&problem))).await?,
        ),
    };
    page.1.email = email;
    page.1.role = role;
    Ok((page.0, Page(page.1)).into_response())
}

pub(super) async fn resend(
    State(app): State<App>,
    account: RequestAccount,
    Found(InvitationId(id)): Found<InvitationId>,
) -> Result<Response, Problem> {
    match refused(account.invitation_resend(id).await)? {
        None => Ok(to_list(&account, "sent").into_response()),
        Some(problem) => {
            let page = page(&app, &account, Some(Wrong::new(&problem))).await?;
            Ok((problem.status(), Page(page)).into_response())
        }
    }
}

pub(super) async fn revoke(
    account: RequestAccount,
    Found(InvitationId(id)): Found<InvitationId>,
) -> Result<Redirect, Problem> {
    account.invitation_revoke(id).await?;
    Ok(to_list(&account, "revoked"))
}

fn to_list(account: &RequestAccount, notice: &str) -> Redirect {
    Redirect::to(&format!(
        "/t/{}/invitations#{notice}",
        account.tenant().slug
    ))
}

/// What is to be said on the page itself.
fn refused(done: Result<(), Error>) -> Result<Option<Problem>, Problem> {
    match done {
        Ok(()) => Ok(None),
        Err(error) => {
            let problem = Problem::from(error);
            let is_told = matches!(
                problem.status(),
                StatusCode::UNPROCESSABLE_ENTITY
                    | StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::CONFLICT
            ) || problem.code() == "grants_more";
            if is_told {
                Ok(Some(problem))
            } else {
                Err(problem)
            }
        }
    }
}

/// Looking consumes nothing: programs that look at mail follow links as well.
pub(super) async fn show(
    State(app): State<App>,
    user: Result<RequestUser, Problem>,
    link: Result<Query<Link>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(Link { token }) = link.unwrap_or_default();
    let page = InvitationPage {
        invitation: app.identity.invitation_show(&token).await?,
        token,
        user: user.ok(),
        name: String::new(),
        problem: None,
    };
    Ok((NO_STORE, Page(page)))
}

pub(super) async fn accept(
    State(app): State<App>,
    user: Result<RequestUser, Problem>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Fields(fields): Fields<Accept>,
) -> Result<Response, Problem> {
    let Accept {
        token,
        name,
        password,
    } = fields;
    let (name, password) = (name.unwrap_or_default(), password.unwrap_or_default());
    let identity = &app.identity;
    let invitation = identity.invitation_show(&token).await?;
    let accepted = match &user {
        Ok(user) => identity.invitation_accept(user, &token).await,
        Err(_) => {
            identity
                .invitation_accept_new(&token, &name, &password, Some(address))
                .await
        }
    };
    let problem = match accepted {
        Ok(accepted) => {
            let to_tenant = Redirect::to(&format!("/t/{}", accepted.slug));
            if user.is_ok() {
                return Ok(to_tenant.into_response());
            }
            let previous = SessionCookie::read(&headers);
            let (token, _) = identity
                .sign_in(
                    &invitation.email,
                    &password,
                    Some(address),
                    None,
                    previous.as_ref(),
                )
                .await?;
            let cookie = [(SET_COOKIE, SessionCookie::holding(identity, &token))];
            return Ok((cookie, to_tenant).into_response());
        }
        Err(error) => Problem::from(error),
    };
    if problem.status().is_server_error() || problem.code() == "bad_link" {
        return Err(problem);
    }
    let page = InvitationPage {
        token,
        invitation,
        user: user.ok(),
        name,
        problem: Some(Wrong::new(&problem)),
    };
    // A page that says so, rather than the one for signing in.
    let status = match problem.status() {
        StatusCode::UNAUTHORIZED => StatusCode::CONFLICT,
        status => status,
    };
    Ok((status, Page(page)).into_response())
}
