use axum::{Json, http::StatusCode};
use partywall::identity::{BuiltIn, RequestAccount, Role, RoleChange};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    notes::Items,
    web::{Problem, fields::Body, path_id::PathId},
};

#[derive(Serialize)]
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

#[derive(Deserialize)]
pub(super) struct Change {
    name: Option<String>,
    permissions: Option<Vec<String>>,
    /// Names or ids.
    includes: Option<Vec<String>>,
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
    body: Body<Change>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    account.require("role.write")?;
    let new = read(&account, body.read()?).await?;
    let (name, permissions, includes) = (
        new.name.clone(),
        new.permissions.clone().unwrap_or_default(),
        new.includes.clone().unwrap_or_default(),
    );
    let id = account.role_create(new).await?;
    let view = json!({ "id": id, "name": name, "builtin": false, "permissions": permissions, "includes": includes });
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn change(
    account: RequestAccount,
    PathId(id): PathId,
    body: Body<Change>,
) -> Result<StatusCode, Problem> {
    account.require("role.write")?;
    let change = read(&account, body.read()?).await?;
    account.role_change(id, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    account: RequestAccount,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    account.role_delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
