use axum::{Json, http::StatusCode};
use partywall::{
    identity::{Group, GroupChange, RequestAccount},
    web::{Endpoint, Found},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::roles::role_ids;
use crate::{
    app::App,
    notes::Items,
    web::{Problem, fields::Body, parameters::GroupId, shape::json},
};

#[derive(Serialize, ToSchema)]
#[schema(as = Group)]
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

#[derive(Deserialize, ToSchema)]
#[schema(as = GroupChange)]
pub(super) struct Change {
    name: Option<String>,
    members: Option<Vec<Uuid>>,
    /// Names or ids.
    roles: Option<Vec<String>>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct NewGroup {
    id: Uuid,
    name: Option<String>,
    members: Vec<Uuid>,
    roles: Vec<Uuid>,
}

pub(super) fn endpoints() -> [Endpoint<App>; 4] {
    let group = "/tenants/{tenant}/groups/{group}";
    [
        Endpoint::get("/tenants/{tenant}/groups", list)
            .named("group.list")
            .require("group.read")
            .summary("The groups, by name")
            .output(StatusCode::OK, json::<Items<GroupView>>()),
        Endpoint::post("/tenants/{tenant}/groups", add)
            .named("group.create")
            .require("group.write")
            .summary("Adds a group")
            .input(json::<Change>())
            .output(StatusCode::CREATED, json::<NewGroup>()),
        Endpoint::patch(group, change)
            .named("group.update")
            .require("group.write")
            .summary("Changes a group")
            .input(json::<Change>())
            .answers(StatusCode::NO_CONTENT),
        Endpoint::delete(group, remove)
            .named("group.delete")
            .require("group.write")
            .summary("Deletes a group")
            .answers(StatusCode::NO_CONTENT),
    ]
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
    Body(body): Body<Change>,
) -> Result<(StatusCode, Json<NewGroup>), Problem> {
    let new = read(&account, body).await?;
    let id = account.group_create(new.clone()).await?;
    let view = NewGroup {
        id,
        name: new.name,
        members: new.members.unwrap_or_default(),
        roles: new.roles.unwrap_or_default(),
    };
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn change(
    account: RequestAccount,
    Found(GroupId(id)): Found<GroupId>,
    Body(body): Body<Change>,
) -> Result<StatusCode, Problem> {
    let change = read(&account, body).await?;
    account.group_change(id, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    account: RequestAccount,
    Found(GroupId(id)): Found<GroupId>,
) -> Result<StatusCode, Problem> {
    account.group_delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
