// A path through relations, an own column beside it, a base filter.
mod post {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "post", rename_all = "camelCase")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub tenant_id: Uuid,
        #[sea_orm(ignore)]
        pub not_a_column: Vec<std::time::Duration>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod comment {
    use partywall::Scoped;
    use sea_orm::{Condition, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "comment")]
    #[scoped(tenant = "blog_post.tenantId", author = "author_id")]
    #[scoped(append_only, base = "self::published")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub post_id: i64,
        #[sea_orm(enum_name = "Writer")]
        pub author_id: i64,
        pub published: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::post::Entity",
            from = "Column::PostId",
            to = "super::post::Column::Id"
        )]
        BlogPost,
    }

    impl ActiveModelBehavior for ActiveModel {}

    fn published() -> Condition {
        Condition::all().add(Column::Published.eq(true))
    }
}

pub fn main() {
    use partywall::{
        Scoped,
        schema::{Ownership, Rights, Source},
    };

    let column = |ownership| match ownership {
        Ownership::Owned(owned) => match owned.last().map(|last| last.source().clone()) {
            Some(Source::Column { column, .. }) => column,
            _ => "",
        },
        _ => "",
    };
    assert_eq!(column(post::Entity::ownership()), "tenantId");
    assert_eq!(column(comment::Entity::ownership()), "writer");
    assert_eq!(comment::Entity::rights(), Rights::AppendOnly);
    assert!(comment::Entity::base_filter().is_some());
}
