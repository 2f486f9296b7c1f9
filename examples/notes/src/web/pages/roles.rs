use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use partywall::identity::{BuiltIn, RequestAccount, Role, RoleChange};
use uuid::Uuid;

use super::{
    page::{Page, Top},
    wrong::Wrong,
};
use crate::{
    app::App,
    web::{Problem, fields::Fields, path_id::PathId},
};

#[derive(Template)]
#[template(path = "roles.html")]
struct RolesPage {
    top: Top,
    roles: Vec<Role>,
    /// What a new role can allow: what the visitor may do.
    permissions: Vec<String>,
    problem: Option<Wrong>,
}

impl RolesPage {
    /// What a role allows by itself, and by which others.
    fn allows(&self, role: &Role) -> String {
        let included = role.includes.iter().filter_map(|id| {
            let found = self.roles.iter().find(|other| other.id == *id)?;
            Some(format!("all of {}", found.name))
        });
        let own = role.permissions.iter().cloned();
        included.chain(own).collect::<Vec<_>>().join(", ")
    }

    /// The roles that another can include.
    fn includable(&self) -> impl Iterator<Item = &Role> {
        self.roles
            .iter()
            .filter(|role| role.builtin != Some(BuiltIn::Owner))
    }
}

async fn page(app: &App, account: &RequestAccount) -> Result<RolesPage, Problem> {
    let permissions = account.permissions().iter().map(str::to_owned);
    Ok(RolesPage {
        roles: account.role_list().await?,
        permissions: permissions.collect(),
        top: Top::new(account, app),
        problem: None,
    })
}

pub(super) async fn list(
    State(app): State<App>,
    account: RequestAccount,
) -> Result<Page<impl Template>, Problem> {
    page(&app, &account).await.map(Page)
}

pub(super) async fn add(
    State(app): State<App>,
    account: RequestAccount,
    fields: Fields<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    account.require("role.write")?;
    let fields = fields.read()?;
    let given = |wanted: &'static str| {
        let found = fields.iter().filter(move |(name, _)| name == wanted);
        found.map(|(_, value)| value.clone())
    };
    let includes = given("includes")
        .map(|role| Uuid::try_parse(&role))
        .collect::<Result<Vec<Uuid>, _>>()
        .map_err(|_| Problem::invalid("there is no such role"))?;
    let new = RoleChange {
        name: given("name").next(),
        permissions: Some(given("permission").collect()),
        includes: Some(includes),
    };
    let done = account.role_create(new).await.map(drop);
    answer(&app, &account, done, "made").await
}

pub(super) async fn remove(
    State(app): State<App>,
    account: RequestAccount,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let done = account.role_delete(id).await;
    answer(&app, &account, done, "deleted").await
}

async fn answer(
    app: &App,
    account: &RequestAccount,
    done: Result<(), partywall::identity::Error>,
    notice: &str,
) -> Result<Response, Problem> {
    let Err(error) = done else {
        let list = format!("/t/{}/roles#{notice}", account.tenant().slug);
        return Ok(Redirect::to(&list).into_response());
    };
    let problem = Problem::from(error);
    let is_theirs = [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::CONFLICT];
    if !is_theirs.contains(&problem.status()) && problem.code() != "grants_more" {
        return Err(problem);
    }
    let page = RolesPage {
        problem: Some(Wrong::new(&problem)),
        ..page(app, account).await?
    };
    Ok((problem.status(), Page(page)).into_response())
}
