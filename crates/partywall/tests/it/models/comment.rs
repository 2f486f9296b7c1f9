use partywall::Scoped;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
#[sea_orm(table_name = "comment")]
#[scoped(tenant = "post.tenant_id")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub post_id: Uuid,
    pub body: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::post::Entity",
        from = "Column::PostId",
        to = "super::post::Column::Id",
        on_delete = "Cascade"
    )]
    Post,
    #[sea_orm(has_many = "super::reaction::Entity")]
    Reaction,
}

impl Related<super::post::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Post.def()
    }
}

impl Related<super::reaction::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Reaction.def()
    }
}

/// The tags of the post that a comment is on: three steps.
#[derive(Debug)]
pub struct PostsTags;

impl Linked for PostsTags {
    type FromEntity = Entity;
    type ToEntity = super::tag::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![
            Relation::Post.def(),
            super::post_tag::Relation::Post.def().rev(),
            super::post_tag::Relation::Tag.def(),
        ]
    }
}

impl ActiveModelBehavior for ActiveModel {}
