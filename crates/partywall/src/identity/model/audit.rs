//! Who did what in a tenant, when and from where. Rows are added and never changed.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "audit")]
#[scoped(tenant = "tenant_id", append_only)]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// When.
    pub at: DateTimeUtc,
    /// What: `member.invited`, say.
    #[sea_orm(column_type = "Text")]
    pub action: String,
    /// Who did it: a person.
    pub actor_user: Option<Uuid>,
    /// As which account.
    pub actor_account: Option<Uuid>,
    /// By what name.
    #[sea_orm(column_type = "Text")]
    pub actor_name: String,
    /// As whom: the person that a member of the staff acted as.
    pub subject_user: Option<Uuid>,
    /// What it was done to.
    #[sea_orm(column_type = "Text", nullable)]
    pub target: Option<String>,
    /// Particulars.
    pub detail: Json,
    /// From where.
    #[sea_orm(column_type = "Text", nullable)]
    pub address: Option<String>,
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
}

impl ActiveModelBehavior for ActiveModel {}
