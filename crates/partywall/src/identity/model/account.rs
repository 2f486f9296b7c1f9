//! The membership of a person in a tenant: what they may do there hangs on it.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "account")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// Whose it is. Nobody's once they were removed: what they wrote keeps pointing here.
    #[sea_orm(unique)]
    pub user_id: Option<Uuid>,
    /// How the tenant knows the person.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The address that the person had when they joined.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// Since when it exists.
    pub created_at: DateTimeUtc,
    /// Since when it opens nothing.
    pub deactivated_at: Option<DateTimeUtc>,
    /// When the person left or was removed.
    pub removed_at: Option<DateTimeUtc>,
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
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id",
        on_delete = "SetNull"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}
