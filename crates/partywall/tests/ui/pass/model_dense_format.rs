// `#[sea_orm::model]` repeats the derive on `ModelEx`; relations are no columns.
mod post {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "post")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(column_name = "org")]
        pub tenant_id: Uuid,
        #[sea_orm(has_many)]
        pub comments: HasMany<super::comment::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod comment {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "comment")]
    #[scoped(tenant = "post.org", exists)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub post_id: i64,
        pub r#type: Option<String>,
        #[sea_orm(belongs_to, from = "post_id", to = "id")]
        pub article: BelongsTo<super::post::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub fn main() {
    use partywall::Scoped;

    let names = |kinds: Vec<(&'static str, partywall::db::Kind)>| -> Vec<&'static str> {
        kinds.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(post::Entity::kinds()), ["id", "org"]);
    assert_eq!(names(comment::Entity::kinds()), ["id", "post_id", "type"]);
}
