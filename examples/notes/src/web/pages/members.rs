use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use partywall::identity::{Member, MemberChange, RequestAccount, Role};
use uuid::Uuid;

use super::{
    page::{Page, Top},
    wrong::Wrong,
};
use crate::{
    app::App,
    web::{
        Problem,
        fields::{Fields, Part},
        path_id::PathId,
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
    part: Part,
) -> Result<Page<impl Template>, Problem> {
    account.require("member.read")?;
    let after = part.read()?.after;
    page(&app, &account, after).await.map(Page)
}

pub(super) async fn change(
    State(app): State<App>,
    account: RequestAccount,
    PathId(id): PathId,
    fields: Fields<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    account.require("member.write")?;
    let fields = fields.read()?;
    let given = |wanted: &'static str| fields.iter().filter(move |(name, _)| name == wanted);
    let roles = given("role")
        .map(|(_, role)| Uuid::try_parse(role))
        .collect::<Result<Vec<Uuid>, _>>()
        .map_err(|_| Problem::invalid("there is no such role"))?;
    let change = MemberChange {
        roles: Some(roles),
        active: Some(given("active").next().is_some()),
    };
    let done = account.member_change(id, change).await;
    answer(&app, &account, done, &list_of(&account, "changed")).await
}

pub(super) async fn remove(
    State(app): State<App>,
    account: RequestAccount,
    PathId(id): PathId,
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
