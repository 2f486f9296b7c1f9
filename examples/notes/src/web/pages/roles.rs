use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use partywall::{
    identity::{BuiltIn, RequestAccount, Role, RoleChange},
    web::{Endpoint, Found},
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
    web::{
        Problem,
        fields::Fields,
        parameters::RoleId,
        shape::{form, html},
    },
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

/// What is filled in and ticked.
#[derive(Default, Deserialize, ToSchema)]
#[serde(from = "Vec<(String, String)>")]
#[schema(as = RoleForm)]
pub(super) struct NewRole {
    name: Option<String>,
    permission: Vec<String>,
    /// Ids of roles.
    includes: Vec<String>,
}

impl From<Vec<(String, String)>> for NewRole {
    fn from(fields: Vec<(String, String)>) -> Self {
        let mut new = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "name" => new.name = Some(value),
                "permission" => new.permission.push(value),
                "includes" => new.includes.push(value),
                _ => {}
            }
        }
        new
    }
}

pub(super) fn endpoints() -> [Endpoint<App>; 3] {
    [
        Endpoint::get("/t/{tenant}/roles", list)
            .named("page.role.list")
            .require("role.read")
            .summary("The roles")
            .output(StatusCode::OK, html()),
        Endpoint::post("/t/{tenant}/roles", add)
            .named("page.role.create")
            .require("role.write")
            .summary("Adds a role")
            .input(form::<NewRole>())
            .answers(StatusCode::SEE_OTHER),
        Endpoint::post("/t/{tenant}/roles/{role}/delete", remove)
            .named("page.role.delete")
            .require("role.write")
            .on_parent()
            .summary("Deletes a role")
            .answers(StatusCode::SEE_OTHER),
    ]
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
    Fields(new): Fields<NewRole>,
) -> Result<Response, Problem> {
    let includes = new
        .includes
        .iter()
        .map(|role| Uuid::try_parse(role))
        .collect::<Result<Vec<Uuid>, _>>()
        .map_err(|_| Problem::invalid("there is no such role"))?;
    let new = RoleChange {
        name: new.name,
        permissions: Some(new.permission),
        includes: Some(includes),
    };
    let done = account.role_create(new).await.map(drop);
    answer(&app, &account, done, "made").await
}

pub(super) async fn remove(
    State(app): State<App>,
    account: RequestAccount,
    Found(RoleId(id)): Found<RoleId>,
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
