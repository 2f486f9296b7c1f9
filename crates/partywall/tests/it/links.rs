//! D7, D16 and D19 where a key cannot carry the tenant: between tables one of which has no column of it.

use partywall::{
    Roles, Schema, Scope, Sql, TENANT,
    db::{Error, ErrorKind},
    schema::SchemaError,
    testing::{TestDb, assert_enforced, assert_isolated},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, PaginatorTrait};
use uuid::Uuid;

use crate::models::{
    AUTHOR, Tenant, article, comment, country, post, post_tag, reaction, seal, tag,
};

/// A link table whose tenant is looked up in the post; it leads to tags as well.
mod sticker {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "sticker")]
    #[scoped(tenant = "post.tenant_id", exists)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub post_id: Uuid,
        pub tag_id: Uuid,
        pub spare_id: Option<Uuid>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::models::post::Entity",
            from = "Column::PostId",
            to = "crate::models::post::Column::Id",
            on_delete = "Cascade"
        )]
        Post,
        #[sea_orm(
            belongs_to = "crate::models::tag::Entity",
            from = "Column::TagId",
            to = "crate::models::tag::Column::Id",
            on_delete = "Cascade"
        )]
        Tag,
        #[sea_orm(
            belongs_to = "crate::models::tag::Entity",
            from = "Column::SpareId",
            to = "crate::models::tag::Column::Id",
            on_delete = "SetNull"
        )]
        Spare,
    }

    impl Related<crate::models::post::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Post.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A table with the tenant's column that leads to one without: a reaction's is looked up, two steps away.
mod pin {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "pin")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
        pub reaction_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::models::reaction::Entity",
            from = "Column::ReactionId",
            to = "crate::models::reaction::Column::Id",
            on_delete = "Cascade"
        )]
        Reaction,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn schema() -> Schema {
    Schema::builder(Roles::named("links"), seal())
        .model::<post::Entity>()
        .model::<country::Entity>()
        .model::<comment::Entity>()
        .model::<reaction::Entity>()
        .model::<tag::Entity>()
        .model::<post_tag::Entity>()
        .model::<sticker::Entity>()
        .model::<pin::Entity>()
        .build()
        .unwrap()
}

struct Linked {
    test: TestDb,
    a: Tenant,
    b: Tenant,
    /// A reaction of each.
    reactions: [Uuid; 2],
}

impl Linked {
    /// Two tenants, each with two stickers and a pin.
    async fn new() -> Self {
        let test = TestDb::new(&schema()).await.unwrap();
        let a = Tenant::seed(&test, "a").await;
        let b = Tenant::seed(&test, "b").await;
        let mut reactions = [Uuid::nil(); 2];
        for (tenant, slot) in [&a, &b].into_iter().zip(&mut reactions) {
            let db = test.as_scope(&tenant.scope);
            *slot = Uuid::now_v7();
            let reaction = reaction::ActiveModel {
                id: Set(*slot),
                comment_id: Set(tenant.comments[0]),
                emoji: Set("+1".to_owned()),
            };
            reaction.insert(&db).await.unwrap();
            for tag in &tenant.tags {
                let sticker = sticker::ActiveModel {
                    id: Set(Uuid::now_v7()),
                    post_id: Set(tenant.posts[0]),
                    tag_id: Set(*tag),
                    spare_id: Set(None),
                };
                sticker.insert(&db).await.unwrap();
            }
            let pin = pin::ActiveModel {
                id: Set(Uuid::now_v7()),
                reaction_id: Set(*slot),
                ..Default::default()
            };
            pin.insert(&db).await.unwrap();
        }
        Self {
            test,
            a,
            b,
            reactions,
        }
    }
}

#[tokio::test]
async fn d16_a_key_without_the_tenant_refuses_a_foreign_row_as_a_missing_one() {
    let linked = Linked::new().await;
    let Linked { a, b, .. } = &linked;
    let db = linked.test.as_scope(&a.scope);
    let sticker = format!(
        "INSERT INTO sticker (id, post_id, tag_id) VALUES (gen_random_uuid(), '{}', $1)",
        a.posts[1]
    );
    let spare = format!(
        "INSERT INTO sticker (id, post_id, tag_id, spare_id) \
         VALUES (gen_random_uuid(), '{}', '{}', $1)",
        a.posts[1], a.tags[0]
    );
    let (own, foreign) = (linked.reactions[0], linked.reactions[1]);
    for (sql, own, foreign) in [
        (sticker.as_str(), a.tags[0], b.tags[0]),
        (spare.as_str(), a.tags[0], b.tags[0]),
        ("UPDATE sticker SET tag_id = $1", a.tags[1], b.tags[1]),
        ("UPDATE sticker SET spare_id = $1", a.tags[1], b.tags[1]),
        (
            "INSERT INTO pin (id, reaction_id) VALUES (gen_random_uuid(), $1)",
            own,
            foreign,
        ),
        ("UPDATE pin SET reaction_id = $1", own, foreign),
    ] {
        let answer = async |id: Uuid| {
            let error = db.execute_sql(sql, [id.into()]).await.unwrap_err();
            let error = error.database().unwrap();
            (error.code().to_owned(), error.to_string())
        };
        let of_foreign = answer(foreign).await;
        assert_eq!(of_foreign, answer(Uuid::now_v7()).await, "{sql}");
        assert_eq!(of_foreign.0, "42501", "{sql}");
        assert!(
            db.execute_sql(sql, [own.into()]).await.unwrap() > 0,
            "{sql}"
        );
    }
    assert_enforced(&linked.test).await;
}

/// A list lets both tenants in, and still no row of one leads to a row of the other.
#[tokio::test]
async fn d16_a_list_links_no_two_tenants() {
    let linked = Linked::new().await;
    let Linked { a, b, .. } = &linked;
    let both = Scope::trusted([TENANT.any_of([a.id, b.id])]);
    let db = linked.test.as_scope(&both);
    let stick = "INSERT INTO sticker (id, post_id, tag_id) VALUES (gen_random_uuid(), $1, $2)";
    let pin = "INSERT INTO pin (id, tenant_id, reaction_id) VALUES (gen_random_uuid(), $1, $2)";
    for (sql, of, own, other) in [
        (stick, a.posts[0], a.tags[0], b.tags[0]),
        (stick, b.posts[0], b.tags[0], a.tags[0]),
        (pin, a.id, linked.reactions[0], linked.reactions[1]),
        (pin, b.id, linked.reactions[1], linked.reactions[0]),
    ] {
        let refused = db.execute_sql(sql, [of.into(), other.into()]).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Denied, "{sql}");
        let made = db.execute_sql(sql, [of.into(), own.into()]).await;
        assert_eq!(made.unwrap(), 1, "{sql}");
    }
}

#[tokio::test]
async fn d19_a_cascade_along_a_key_without_the_tenant_stays_inside() {
    let linked = Linked::new().await;
    let Linked { a, b, .. } = &linked;
    let (own, foreign) = (
        linked.test.as_scope(&a.scope),
        linked.test.as_scope(&b.scope),
    );
    // A tries to hang its rows on what B is about to delete.
    let aim = "UPDATE sticker SET tag_id = $1";
    assert!(own.execute_sql(aim, [b.tags[0].into()]).await.is_err());
    let aim = "UPDATE pin SET reaction_id = $1";
    let theirs = linked.reactions[1].into();
    assert!(own.execute_sql(aim, [theirs]).await.is_err());
    foreign
        .execute_sql("UPDATE sticker SET spare_id = $1", [b.tags[1].into()])
        .await
        .unwrap();
    foreign
        .execute_sql("DELETE FROM tag WHERE label = 'blue'", [])
        .await
        .unwrap();
    foreign
        .execute_sql("DELETE FROM reaction", [])
        .await
        .unwrap();
    let left = async |db| {
        let stickers = sticker::Entity::find().all(db).await.unwrap();
        assert!(stickers.iter().all(|sticker| sticker.spare_id.is_none()));
        (stickers.len(), pin::Entity::find().count(db).await.unwrap())
    };
    assert_eq!(left(&own).await, (2, 1));
    assert_eq!(left(&foreign).await, (1, 0));
}

#[tokio::test]
async fn d7_a_looked_up_link_table_shows_own_links() {
    let linked = Linked::new().await;
    let Linked { test, a, b, .. } = &linked;
    for own in [a, b] {
        let db = test.as_scope(&own.scope);
        let stickers = sticker::Entity::find().all(&db).await.unwrap();
        assert_eq!(stickers.len(), 2);
        assert!(
            stickers
                .iter()
                .all(|sticker| own.tags.contains(&sticker.tag_id))
        );
        let joined = sticker::Entity::find()
            .find_also_related(post::Entity)
            .all(&db)
            .await
            .unwrap();
        assert!(joined.iter().all(|(_, post)| post.is_some()));
    }
    assert_isolated::<sticker::Entity>(test, a.id, b.id).await;
    assert_isolated::<pin::Entity>(test, a.id, b.id).await;
    // One that only the way across can make is nobody's.
    let across = test
        .db()
        .across("a link from one to the other")
        .await
        .unwrap();
    let between = sticker::ActiveModel {
        id: Set(Uuid::now_v7()),
        post_id: Set(a.posts[0]),
        tag_id: Set(b.tags[0]),
        spare_id: Set(None),
    };
    between.insert(&across).await.unwrap();
    for own in [a, b] {
        let db = test.as_scope(&own.scope);
        assert_eq!(sticker::Entity::find().count(&db).await.unwrap(), 2);
    }
    assert_eq!(sticker::Entity::find().count(&across).await.unwrap(), 5);
}

/// Its policy would have to look into the table that it is for.
mod reply {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "reply")]
    #[scoped(tenant = "post.tenant_id", exists)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub post_id: Uuid,
        pub to_id: Option<Uuid>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::models::post::Entity",
            from = "Column::PostId",
            to = "crate::models::post::Column::Id"
        )]
        Post,
        #[sea_orm(belongs_to = "Entity", from = "Column::ToId", to = "Column::Id")]
        To,
    }

    impl Related<crate::models::post::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Post.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// It leads to rows of an author, and has none itself.
mod quote {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "quote")]
    #[scoped(tenant = "post.tenant_id", exists)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub post_id: Uuid,
        pub article_id: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::models::post::Entity",
            from = "Column::PostId",
            to = "crate::models::post::Column::Id"
        )]
        Post,
        #[sea_orm(
            belongs_to = "crate::models::article::Entity",
            from = "Column::ArticleId",
            to = "crate::models::article::Column::Id"
        )]
        Article,
    }

    impl Related<crate::models::post::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Post.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[test]
fn d16_a_key_that_nothing_can_keep_inside_is_no_schema() {
    let builder = || {
        Schema::builder(Roles::named("links"), seal())
            .model::<post::Entity>()
            .model::<country::Entity>()
            .model::<article::Entity>()
    };
    builder().build().unwrap();
    let loops = builder().model::<reply::Entity>().build().unwrap_err();
    assert!(matches!(loops, SchemaError::Loops { .. }));
    insta::assert_snapshot!(loops, @"the key `to_id` of the table `public.reply` leads to `public.reply`, whose policies look into `public.reply` again, which PostgreSQL refuses: leave out `exists` where these two are declared, so that the key carries the owner");
    let crosses = builder().model::<quote::Entity>().build().unwrap_err();
    assert!(matches!(crosses, SchemaError::Crosses { .. }));
    insta::assert_snapshot!(crosses, @"the key `article_id` of the table `public.quote` may lead to another's row of `public.article`, whose owner `author` it neither carries nor can look up: declare `author` for `public.quote` too, or leave `exists` out, so that the key carries the owner");
}

/// A person's, not a tenant's; it leads to something that is both.
mod visit {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "visit")]
    #[scoped(author = "author_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub author_id: i64,
        pub article_id: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::models::article::Entity",
            from = "Column::ArticleId",
            to = "crate::models::article::Column::Id"
        )]
        Article,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Tables that share another dimension than the tenant are kept together by that one.
#[tokio::test]
async fn d16_a_key_carries_the_dimension_that_both_tables_have() {
    let schema = Schema::builder(Roles::named("visits"), seal())
        .model::<post::Entity>()
        .model::<country::Entity>()
        .model::<article::Entity>()
        .model::<visit::Entity>()
        .build()
        .unwrap();
    let test = TestDb::new(&schema).await.unwrap();
    let tenant = Uuid::now_v7();
    let mut articles = Vec::new();
    for author in [1, 2] {
        let scope = Scope::trusted([TENANT.is(tenant), AUTHOR.is(author)]);
        let article = article::ActiveModel {
            state: Set(article::State::Published),
            title: Set("a".to_owned()),
            ..Default::default()
        };
        articles.push(article.insert(&test.as_scope(&scope)).await.unwrap().id);
    }
    let visit = |article| visit::ActiveModel {
        id: Set(Uuid::now_v7()),
        article_id: Set(article),
        ..Default::default()
    };
    let db = test.as_scope(&Scope::trusted([AUTHOR.is(1)]));
    visit(articles[0]).insert(&db).await.unwrap();
    let foreign = visit(articles[1]).insert(&db).await.unwrap_err();
    assert_eq!(Error::kind_behind(&foreign), ErrorKind::ForeignKey);
    assert_eq!(foreign, visit(i64::MAX).insert(&db).await.unwrap_err());
}
