//! A tenant's note. Ids are UUIDs of version 7, so their order is the order of writing.

use partywall::Scoped;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(table_name = "note")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub title: String,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// The writer's name as it was then: who is no longer a member stays legible.
    #[sea_orm(column_type = "Text")]
    pub author: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// For the eyes of whoever may change the note.
    #[sea_orm(column_type = "Text", nullable)]
    pub remark: Option<String>,
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
    #[sea_orm(has_many = "super::comment::Entity")]
    Comment,
}

impl Related<super::comment::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Comment.def()
    }
}

impl Related<super::tag::Entity> for Entity {
    fn to() -> RelationDef {
        super::note_tag::Relation::Tag.def()
    }

    fn via() -> Option<RelationDef> {
        Some(super::note_tag::Relation::Note.def().rev())
    }
}

impl ActiveModelBehavior for ActiveModel {}
