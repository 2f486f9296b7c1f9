use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use partywall::{
    identity::{Member, MemberChange, RequestAccount, Role},
    web::{self, Endpoint, Found},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    page::{Page, Top},
    wrong::Wrong,
};
use crate::{
    app::App,
    policies::Policies,
    web::{
        Problem,
        fields::{Fields, ListQuery, Part},
        parameters::MemberId,
        shape::{form, html},
    },
};

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    top: Top,
    own: Option<Uuid>,
    members: Vec<Member>,
    roles: Vec<Role>,
    next: Option<Uuid>,
    problem: Option<Wrong>,
}

impl MembersPage {
    fn has(&self, member: &Member, role: &Role) -> bool {
        member.roles.contains(&role.id)
    }

    fn is_own(&self, member: &Member) -> bool {
        self.own == Some(member.id)
    }
}

/// The boxes that are ticked.
#[derive(Deserialize, ToSchema)]
#[serde(from = "Vec<(String, String)>")]
#[schema(as = MemberForm)]
pub(super) struct Change {
    role: Vec<String>,
    active: Option<String>,
}

impl From<Vec<(String, String)>> for Change {
    fn from(fields: Vec<(String, String)>) -> Self {
        let mut change = Self {
            role: Vec::new(),
            active: None,
        };
        for (name, value) in fields {
            match name.as_str() {
                "role" => change.role.push(value),
                "active" => change.active = Some(value),
                _ => {}
            }
        }
        change
    }
}

pub(super) fn endpoints(policies: &Policies) -> [Endpoint<App>; 4] {
    [
        Endpoint::get("/t/{tenant}/members", list)
            .named("page.member.list")
            .require("member.read")
            .summary("The members")
            .query(web::Query::of::<ListQuery>())
            .output(StatusCode::OK, html()),
        Endpoint::post("/t/{tenant}/members/{member}", change)
            .named("page.member.update")
            .require("member.write")
            .summary("Changes a member's roles, or whether the account opens anything")
            .input(form::<Change>())
            .answers(StatusCode::SEE_OTHER),
        Endpoint::post("/t/{tenant}/members/{member}/remove", remove)
            .named("page.member.delete")
            .require("member.write")
            .on_parent()
            .summary("Removes a member")
            .answers(StatusCode::SEE_OTHER),
        Endpoint::post("/t/{tenant}/leave", leave)
            .named("page.member.leave")
            .policy(policies.member.clone())
            .summary("Leaves the tenant")
            .answers(StatusCode::SEE_OTHER),
    ]
}

const LIMIT: u32 = 50;

async fn page(
    app: &App,
    account: &RequestAccount,
    after: Option<Uuid>,
) -> Result<MembersPage, Problem> {
    let members = account.member_list(after, LIMIT).await?;
    let is_full = u32::try_from(members.len()) == Ok(LIMIT);
    let roles = match account.has("role.read") {
        true => account.role_list().await?,
        false => Vec::new(),
    };
    Ok(MembersPage {
        top: Top::new(account, app),
        own: account.id(),
        next: members.last().filter(|_| is_full).map(|last| last.id),
        members,
        roles,
        problem: None,
    })
}

/// The list again, with what keeps from the change.
async fn answer(
    app: &App,
    account: &RequestAccount,
    done: Result<(), partywall::identity::Error>,
    to: &str,
) -> Result<Response, Problem> {
    let Err(error) = done else {
        return Ok(Redirect::to(to).into_response());
    };
    let problem = Problem::from(error);
    if !["last_owner", "grants_more", "no_seat", "invalid"].contains(&problem.code()) {
        return Err(problem);
    }
    let page = MembersPage {
        problem: Some(Wrong::new(&problem)),
        ..page(app, account, None).await?
    };
    Ok((problem.status(), Page(page)).into_response())
}

fn list_of(account: &RequestAccount, notice: &str) -> String {
    format!("/t/{}/members#{notice}", account.tenant().slug)
}

pub(super) async fn list(
    State(app): State<App>,
    account: RequestAccount,
    Part(part): Part,
) -> Result<Page<impl Template>, Problem> {
    page(&app, &account, part.after).await.map(Page)
}

pub(super) async fn change(
    State(app): State<App>,
    account: RequestAccount,
    Found(MemberId(id)): Found<MemberId>,
    Fields(new): Fields<Change>,
) -> Result<Response, Problem> {
    let roles = new
        .role
        .iter()
        .map(|role| Uuid::try_parse(role))
        .collect::<Result<Vec<Uuid>, _>>()
        .map_err(|_| Problem::invalid("there is no such role"))?;
    let change = MemberChange {
        roles: Some(roles),
        active: Some(new.active.is_some()),
    };
    let done = account.member_change(id, change).await;
    answer(&app, &account, done, &list_of(&account, "changed")).await
}

pub(super) async fn remove(
    State(app): State<App>,
    account: RequestAccount,
    Found(MemberId(id)): Found<MemberId>,
) -> Result<Response, Problem> {
    let done = account.member_remove(id).await;
    answer(&app, &account, done, &list_of(&account, "removed")).await
}

pub(super) async fn leave(
    State(app): State<App>,
    account: RequestAccount,
) -> Result<Response, Problem> {
    let done = account.leave().await;
    answer(&app, &account, done, "/tenants#left").await
}
