use axum::{Json, http::StatusCode};
use partywall::{
    identity::{BuiltIn, RequestAccount, Role, RoleChange},
    web::{self, Endpoint, Found},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    notes::Items,
    web::{Problem, fields::Body, parameters::RoleId, shape::json},
};

#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub(super) struct RoleView {
    id: Uuid,
    name: String,
    /// Whether it is the same in all tenants and cannot be changed.
    builtin: bool,
    permissions: Vec<String>,
    includes: Vec<Uuid>,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            name: role.name,
            builtin: role.builtin.is_some(),
            permissions: role.permissions,
            includes: role.includes,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = RoleChange)]
pub(super) struct Change {
    name: Option<String>,
    permissions: Option<Vec<String>>,
    /// Names or ids.
    includes: Option<Vec<String>>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct NewRole {
    id: Uuid,
    name: Option<String>,
    builtin: bool,
    permissions: Vec<String>,
    includes: Vec<Uuid>,
}

pub(super) fn endpoints() -> [Endpoint<App>; 4] {
    let role = "/tenants/{tenant}/roles/{role}";
    [
        Endpoint::get("/tenants/{tenant}/roles", list)
            .named("role.list")
            .require("role.read")
            .summary("The roles, the built-in ones first")
            .output(StatusCode::OK, json::<Items<RoleView>>()),
        Endpoint::post("/tenants/{tenant}/roles", add)
            .named("role.create")
            .require("role.write")
            .summary("Adds a role")
            .input(json::<Change>())
            .output(StatusCode::CREATED, json::<NewRole>()),
        Endpoint::patch(role, change)
            .named("role.update")
            .require("role.write")
            .summary("Changes a role")
            .input(json::<Change>())
            .answers(StatusCode::NO_CONTENT),
        Endpoint::delete(role, remove)
            .named("role.delete")
            .require("role.write")
            .summary("Deletes a role")
            .answers(StatusCode::NO_CONTENT)
            // A built-in one.
            .output(StatusCode::UNPROCESSABLE_ENTITY, web::Body::problem()),
    ]
}

/// The ids of roles that are said by name or by id. A name that no role has is an id that none has.
pub(super) async fn role_ids(
    account: &RequestAccount,
    wanted: &[String],
) -> Result<Vec<Uuid>, Problem> {
    let id = |text: &String| Uuid::try_parse(text).ok();
    if let Some(ids) = wanted.iter().map(id).collect() {
        return Ok(ids);
    }
    let roles = account.role_list().await?;
    let named = |text: &String| roles.iter().find(|role| role.name == *text);
    wanted
        .iter()
        .map(|text| {
            let found = named(text).map(|role| role.id).or_else(|| id(text));
            found.ok_or_else(|| Problem::invalid("there is no such role"))
        })
        .collect()
}

async fn read(account: &RequestAccount, change: Change) -> Result<RoleChange, Problem> {
    Ok(RoleChange {
        name: change.name,
        permissions: change.permissions,
        includes: match change.includes {
            Some(roles) => Some(role_ids(account, &roles).await?),
            None => None,
        },
    })
}

pub(super) async fn list(account: RequestAccount) -> Result<Json<Items<RoleView>>, Problem> {
    let mut roles = account.role_list().await?;
    // The built-in ones by what they may, the least first.
    roles.sort_by_key(|role| {
        let at = role
            .builtin
            .and_then(|builtin| BuiltIn::ALL.iter().position(|one| *one == builtin));
        at.unwrap_or(usize::MAX)
    });
    let items = roles.into_iter().map(RoleView::from).collect();
    Ok(Json(Items { items, next: None }))
}

pub(super) async fn add(
    account: RequestAccount,
    Body(body): Body<Change>,
) -> Result<(StatusCode, Json<NewRole>), Problem> {
    let new = read(&account, body).await?;
    let id = account.role_create(new.clone()).await?;
    let view = NewRole {
        id,
        name: new.name,
        builtin: false,
        permissions: new.permissions.unwrap_or_default(),
        includes: new.includes.unwrap_or_default(),
    };
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn change(
    account: RequestAccount,
    Found(RoleId(id)): Found<RoleId>,
    Body(body): Body<Change>,
) -> Result<StatusCode, Problem> {
    let change = read(&account, body).await?;
    account.role_change(id, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    account: RequestAccount,
    Found(RoleId(id)): Found<RoleId>,
) -> Result<StatusCode, Problem> {
    account.role_delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
