use axum::{
    Json,
    extract::RawPathParams,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use partywall::identity::{Member, MemberChange, RequestAccount};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::roles::role_ids;
use crate::{
    notes::Items,
    web::{
        Problem,
        fields::{Body, Part},
        path_id::PathId,
    },
};

#[derive(Serialize)]
pub(super) struct MemberView {
    /// The account.
    id: Uuid,
    user: Option<Uuid>,
    name: String,
    email: String,
    active: bool,
    roles: Vec<RoleView>,
    groups: Vec<Uuid>,
    grants: Vec<String>,
}

#[derive(Serialize)]
struct RoleView {
    id: Uuid,
    name: String,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let roles = member.roles.into_iter().zip(member.role_names);
        Self {
            id: member.id,
            user: member.user,
            name: member.name,
            email: member.email,
            active: member.active,
            roles: roles.map(|(id, name)| RoleView { id, name }).collect(),
            groups: member.groups,
            grants: member.grants,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Change {
    /// Names or ids.
    roles: Option<Vec<String>>,
    active: Option<bool>,
}

pub(super) async fn list(
    account: RequestAccount,
    part: Part,
) -> Result<Json<Items<MemberView>>, Problem> {
    account.require("member.read")?;
    let part = part.read()?;
    let limit = u32::try_from(part.limit).unwrap_or(u32::MAX);
    let mut members = account.member_list(part.after, limit + 1).await?;
    let is_more = members.len() > usize::try_from(part.limit).unwrap_or(usize::MAX);
    if is_more {
        members.pop();
    }
    let next = members.last().filter(|_| is_more);
    Ok(Json(Items {
        next: next.map(|last| last.id.to_string()),
        items: members.into_iter().map(MemberView::from).collect(),
    }))
}

pub(super) async fn show(
    account: RequestAccount,
    PathId(id): PathId,
) -> Result<Json<MemberView>, Problem> {
    Ok(Json(account.member(id).await?.into()))
}

pub(super) async fn change(
    account: RequestAccount,
    PathId(id): PathId,
    body: Body<Change>,
) -> Result<Response, Problem> {
    account.require("member.write")?;
    let Change { roles, active } = body.read()?;
    let roles = match roles {
        Some(roles) => Some(role_ids(&account, &roles).await?),
        None => None,
    };
    account
        .member_change(id, MemberChange { roles, active })
        .await?;
    if !account.has("member.read") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let member = MemberView::from(account.member(id).await?);
    Ok(Json(member).into_response())
}

pub(super) async fn remove(
    account: RequestAccount,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    account.member_remove(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn grant(
    account: RequestAccount,
    PathId(id): PathId,
    path: RawPathParams,
) -> Result<StatusCode, Problem> {
    account.grant_give(id, permission(&path)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn grant_take(
    account: RequestAccount,
    PathId(id): PathId,
    path: RawPathParams,
) -> Result<StatusCode, Problem> {
    account.grant_take(id, permission(&path)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn permission(path: &RawPathParams) -> &str {
    let found = path.iter().find(|(name, _)| *name == "permission");
    found.map_or("", |(_, value)| value)
}
