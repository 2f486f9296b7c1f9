//! A tenant's notes as a file, written by a job.

use partywall::Scoped;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(table_name = "export")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: Uuid,
    /// The job that writes it. Jobs are removed before exports are, so this is no key.
    pub job_id: Uuid,
    pub created_at: DateTimeUtc,
    /// Absent until the job is done.
    #[sea_orm(column_type = "Text", nullable)]
    pub csv: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "partywall::identity::model::tenant::Entity",
        from = "Column::TenantId",
        to = "partywall::identity::model::tenant::Column::Id",
        on_delete = "Cascade"
    )]
    Tenant,
}

impl ActiveModelBehavior for ActiveModel {}
