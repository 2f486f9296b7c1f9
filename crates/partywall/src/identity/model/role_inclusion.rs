//! A role holds what another holds.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "role_inclusion")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    /// The role that gains.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role_id: Uuid,
    /// The role that it includes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub includes_id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
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
        on_delete = "Cascade"
    )]
    Role,
    #[sea_orm(
        belongs_to = "super::role::Entity",
        from = "Column::IncludesId",
        to = "super::role::Column::Id",
        on_delete = "Cascade"
    )]
    Includes,
}

impl ActiveModelBehavior for ActiveModel {}
