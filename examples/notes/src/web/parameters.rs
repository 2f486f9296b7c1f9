//! What the parameters of paths stand for.

use partywall::{
    identity::RequestAccount,
    web::{self, Parameter, Routes},
};
use uuid::Uuid;

use crate::{
    app::App,
    models::{export, note},
};

/// A member's account.
#[derive(Clone, Copy)]
pub(super) struct MemberId(pub(super) Uuid);

#[derive(Clone, Copy)]
pub(super) struct RoleId(pub(super) Uuid);

#[derive(Clone, Copy)]
pub(super) struct GroupId(pub(super) Uuid);

/// An invitation that is open.
#[derive(Clone, Copy)]
pub(super) struct InvitationId(pub(super) Uuid);

/// A program's key that was not taken back.
#[derive(Clone, Copy)]
pub(super) struct KeyId(pub(super) Uuid);

/// Routes that know all parameters but those of resources, which bring their own, and have no endpoint
/// yet.
pub(super) fn declared() -> Routes<App> {
    Routes::new()
        .parameter(Parameter::row::<note::Entity>("note"))
        .parameter(Parameter::row::<export::Entity>("export"))
        .parameter(Parameter::found("member", |account: RequestAccount, id| async move {
            account.member_known(id).await.map(|()| MemberId(id))
        }))
        .parameter(Parameter::found("role", |account: RequestAccount, id| async move {
            account.role_known(id).await.map(|()| RoleId(id))
        }))
        .parameter(Parameter::found("group", |account: RequestAccount, id| async move {
            account.group_known(id).await.map(|()| GroupId(id))
        }))
        .parameter(Parameter::found("invitation", |account: RequestAccount, id| async move {
            account.invitation_known(id).await.map(|()| InvitationId(id))
        }))
        .parameter(Parameter::found("key", |account: RequestAccount, id| async move {
            account.key_known(id).await.map(|()| KeyId(id))
        }))
        // Of a person, and of the staff: in no tenant.
        .parameter(Parameter::id("session"))
        .parameter(Parameter::id("entry"))
        .parameter(Parameter::id("customer"))
        .parameter(Parameter::text("permission"))
        .parameter(web::swagger_parameter())
}
