//! A tenant's word for some of its notes.

use partywall::Scoped;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(table_name = "tag")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: Uuid,
    /// Unique within the tenant: Partywall leads the key with it.
    #[sea_orm(unique, column_type = "Text")]
    pub label: String,
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

impl Related<super::note::Entity> for Entity {
    fn to() -> RelationDef {
        super::note_tag::Relation::Note.def()
    }

    fn via() -> Option<RelationDef> {
        Some(super::note_tag::Relation::Tag.def().rev())
    }
}

impl ActiveModelBehavior for ActiveModel {}
