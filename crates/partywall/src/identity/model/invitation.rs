//! Somebody was asked to join. The link that was mailed is held as a hash.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "invitation")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The address as it was typed.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// The address in its canonical form.
    #[sea_orm(column_type = "Text")]
    pub email_key: String,
    /// What the new account gets; nothing once the role is gone.
    pub role_id: Option<Uuid>,
    /// The account that asked.
    pub invited_by: Option<Uuid>,
    /// The SHA-256 of the token, in hexadecimal digits.
    #[sea_orm(column_type = "Text")]
    pub token_hash: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When the link was mailed last.
    pub sent_at: DateTimeUtc,
    /// How often it was mailed.
    pub sends: i32,
    /// Until when it can be accepted.
    pub expires_at: DateTimeUtc,
    /// When it was.
    pub accepted_at: Option<DateTimeUtc>,
    /// When it was taken back.
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::tenant::Entity",
        from = "Column::TenantId",
        to = "super::tenant::Column::Id",
        on_delete = "Cascade"
    )]
    Tenant,
    #[sea_orm(
        belongs_to = "super::role::Entity",
        from = "Column::RoleId",
        to = "super::role::Column::Id",
        on_delete = "SetNull"
    )]
    Role,
    #[sea_orm(
        belongs_to = "super::account::Entity",
        from = "Column::InvitedBy",
        to = "super::account::Column::Id",
        on_delete = "SetNull"
    )]
    InvitedBy,
}

impl ActiveModelBehavior for ActiveModel {}
