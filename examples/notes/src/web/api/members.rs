use axum::{
    Json,
    extract::{Path, Query, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use partywall::{
    identity::{Member, MemberChange, RequestAccount},
    web::{self, Endpoint, Found},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::roles::role_ids;
use crate::{
    app::App,
    notes::Items,
    policies::Policies,
    web::{
        Problem,
        fields::{Body, ListQuery, Part},
        parameters::MemberId,
        shape::json,
    },
};

#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
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

#[derive(Serialize, ToSchema)]
#[schema(as = RoleOfMember)]
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

#[derive(Deserialize, ToSchema)]
#[schema(as = MemberChange)]
pub(super) struct Change {
    /// Names or ids.
    roles: Option<Vec<String>>,
    active: Option<bool>,
}

#[derive(Deserialize, IntoParams)]
pub(super) struct Who {
    permission: String,
}

pub(super) fn endpoints(policies: &Policies) -> Vec<Endpoint<App>> {
    let member = "/tenants/{tenant}/members/{member}";
    let grant = "/tenants/{tenant}/members/{member}/grants/{permission}";
    vec![
        Endpoint::get("/tenants/{tenant}/members", list)
            .named("member.list")
            .require("member.read")
            .summary("A page of the members, in the order in which they joined")
            .query(web::Query::of::<ListQuery>())
            .output(StatusCode::OK, json::<Items<MemberView>>()),
        Endpoint::get(member, show)
            .named("member.retrieve")
            .require("member.read")
            .summary("One member")
            .output(StatusCode::OK, json::<MemberView>()),
        Endpoint::patch(member, change)
            .named("member.update")
            .require("member.write")
            .summary("Changes a member's roles, or whether the account opens anything")
            .input(json::<Change>())
            .output(StatusCode::OK, json::<MemberView>())
            .answers(StatusCode::NO_CONTENT),
        Endpoint::delete(member, remove)
            .named("member.delete")
            .require("member.write")
            .summary("Removes a member")
            .answers(StatusCode::NO_CONTENT),
        Endpoint::put(grant, give)
            .named("grant.create")
            .require("member.write")
            .summary("Gives a member one permission by itself")
            .answers(StatusCode::NO_CONTENT)
            // One that the application does not know.
            .output(StatusCode::UNPROCESSABLE_ENTITY, web::Body::problem()),
        Endpoint::delete(grant, take)
            .named("grant.delete")
            .require("member.write")
            .summary("Takes such a permission away")
            .answers(StatusCode::NO_CONTENT)
            .output(StatusCode::UNPROCESSABLE_ENTITY, web::Body::problem()),
        Endpoint::get("/tenants/{tenant}/who", who)
            .named("member.who")
            .require("member.read")
            .summary("Who may do something")
            .query(web::Query::of::<Who>())
            .output(StatusCode::OK, json::<Items<MemberView>>()),
        Endpoint::post("/tenants/{tenant}/leave", leave)
            .named("member.leave")
            .policy(policies.member.clone())
            .summary("Leaves the tenant")
            .answers(StatusCode::NO_CONTENT),
    ]
}

pub(super) async fn list(
    account: RequestAccount,
    Part(part): Part,
) -> Result<Json<Items<MemberView>>, Problem> {
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
    Found(MemberId(id)): Found<MemberId>,
) -> Result<Json<MemberView>, Problem> {
    Ok(Json(account.member(id).await?.into()))
}

pub(super) async fn change(
    account: RequestAccount,
    Found(MemberId(id)): Found<MemberId>,
    Body(Change { roles, active }): Body<Change>,
) -> Result<Response, Problem> {
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
    Found(MemberId(id)): Found<MemberId>,
) -> Result<StatusCode, Problem> {
    account.member_remove(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn give(
    account: RequestAccount,
    Found(MemberId(id)): Found<MemberId>,
    Path((_, _, permission)): Path<(String, String, String)>,
) -> Result<StatusCode, Problem> {
    account.grant_give(id, &permission).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn take(
    account: RequestAccount,
    Found(MemberId(id)): Found<MemberId>,
    Path((_, _, permission)): Path<(String, String, String)>,
) -> Result<StatusCode, Problem> {
    account.grant_take(id, &permission).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn leave(account: RequestAccount) -> Result<StatusCode, Problem> {
    account.leave().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who may do something.
pub(super) async fn who(
    account: RequestAccount,
    query: Result<Query<Who>, QueryRejection>,
) -> Result<Json<Items<MemberView>>, Problem> {
    let Query(who) = query.map_err(|_| Problem::invalid("`permission` is missing"))?;
    let members = account.members_with(&who.permission).await?;
    let items = members.into_iter().map(MemberView::from).collect();
    Ok(Json(Items { items, next: None }))
}
