//! Two owners, tenant and author, and ids that the database counts.

use partywall::Scoped;
use sea_orm::{Condition, entity::prelude::*};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
#[sea_orm(table_name = "article")]
#[scoped(tenant = "tenant_id", author = "author_id", base = "published")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub tenant_id: Uuid,
    pub author_id: i64,
    pub post_id: Option<Uuid>,
    pub state: State,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub details: Option<Json>,
    pub title: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "article_state")]
pub enum State {
    #[sea_orm(string_value = "draft")]
    Draft,
    #[sea_orm(string_value = "published")]
    Published,
}

fn published() -> Condition {
    Condition::all().add(Column::State.eq(State::Published))
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::post::Entity",
        from = "Column::PostId",
        to = "super::post::Column::Id",
        on_delete = "SetNull"
    )]
    Post,
    #[sea_orm(has_many = "super::revision::Entity")]
    Revision,
}

impl Related<super::post::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Post.def()
    }
}

impl Related<super::revision::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Revision.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
