//! A program's way in: for an account, or for the tenant itself. The key is held as a hash.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "api_key")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// Whose key it is; the tenant's own where there is none.
    pub account_id: Option<Uuid>,
    /// What it is for.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The SHA-256 of the key, in hexadecimal digits.
    #[sea_orm(column_type = "Text")]
    pub key_hash: String,
    /// How the key begins, to tell it from others.
    #[sea_orm(column_type = "Text")]
    pub hint: String,
    /// What it may do at most.
    pub permissions: Vec<String>,
    /// The account that made it.
    pub created_by: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// Until when it is good.
    pub expires_at: Option<DateTimeUtc>,
    /// When it was last used, to within a minute.
    pub last_used_at: Option<DateTimeUtc>,
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
        belongs_to = "super::account::Entity",
        from = "Column::AccountId",
        to = "super::account::Column::Id",
        on_delete = "Cascade"
    )]
    Account,
    #[sea_orm(
        belongs_to = "super::account::Entity",
        from = "Column::CreatedBy",
        to = "super::account::Column::Id",
        on_delete = "SetNull"
    )]
    CreatedBy,
}

impl ActiveModelBehavior for ActiveModel {}
