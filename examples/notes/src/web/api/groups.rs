use axum::{Json, http::StatusCode};
use partywall::identity::{Group, GroupChange, RequestAccount};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::roles::role_ids;
use crate::{
    notes::Items,
    web::{Problem, fields::Body, path_id::PathId},
};

#[derive(Serialize)]
pub(super) struct GroupView {
    id: Uuid,
    name: String,
    /// Accounts.
    members: Vec<Uuid>,
    roles: Vec<Uuid>,
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            name: group.name,
            members: group.members,
            roles: group.roles,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Change {
    name: Option<String>,
    members: Option<Vec<Uuid>>,
    /// Names or ids.
    roles: Option<Vec<String>>,
}

async fn read(account: &RequestAccount, change: Change) -> Result<GroupChange, Problem> {
    Ok(GroupChange {
        name: change.name,
        members: change.members,
        roles: match change.roles {
            Some(roles) => Some(role_ids(account, &roles).await?),
            None => None,
        },
    })
}

pub(super) async fn list(account: RequestAccount) -> Result<Json<Items<GroupView>>, Problem> {
    let groups = account.group_list().await?;
    let items = groups.into_iter().map(GroupView::from).collect();
    Ok(Json(Items { items, next: None }))
}

pub(super) async fn add(
    account: RequestAccount,
    body: Body<Change>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    account.require("group.write")?;
    let new = read(&account, body.read()?).await?;
    let (name, members, roles) = (
        new.name.clone(),
        new.members.clone().unwrap_or_default(),
        new.roles.clone().unwrap_or_default(),
    );
    let id = account.group_create(new).await?;
    let view = json!({ "id": id, "name": name, "members": members, "roles": roles });
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn change(
    account: RequestAccount,
    PathId(id): PathId,
    body: Body<Change>,
) -> Result<StatusCode, Problem> {
    account.require("group.write")?;
    let change = read(&account, body.read()?).await?;
    account.group_change(id, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    account: RequestAccount,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    account.group_delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
