//! D6–D8: what hangs together, within one tenant.

use partywall::{Sql, testing::assert_isolated};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, EntityTrait, LoaderTrait, ModelTrait, PaginatorTrait,
    QueryFilter, QueryOrder,
};
use uuid::Uuid;

use crate::models::{
    World, article, attachment,
    comment::{self, PostsTags},
    country, post, post_tag, reaction, tag,
};

#[tokio::test]
async fn d6_joins_show_own_rows() {
    let world = World::new().await;
    for own in [&world.a, &world.b] {
        let db = world.test.as_scope(&own.scope);
        let pairs = comment::Entity::find()
            .find_also_related(post::Entity)
            .all(&db)
            .await
            .unwrap();
        assert_eq!(pairs.len(), 2);
        for (comment, post) in &pairs {
            assert!(own.comments.contains(&comment.id));
            assert_eq!(post.as_ref().unwrap().tenant_id, own.id);
        }
        let nested = post::Entity::find()
            .find_with_related(comment::Entity)
            .all(&db)
            .await
            .unwrap();
        assert_eq!(nested.len(), 3);
        assert_eq!(
            nested
                .iter()
                .map(|(_, comments)| comments.len())
                .sum::<usize>(),
            2
        );
        let inner = post::Entity::find()
            .inner_join(comment::Entity)
            .count(&db)
            .await
            .unwrap();
        assert_eq!(inner, 2);
        let linked = comment::Entity::find()
            .find_also_linked(PostsTags)
            .all(&db)
            .await
            .unwrap();
        assert_eq!(linked.len(), 4);
        assert!(
            linked
                .iter()
                .all(|(_, tag)| own.tags.contains(&tag.as_ref().unwrap().id))
        );
    }
}

#[tokio::test]
async fn d6_loaders_load_own_rows() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    let posts = post::Entity::find()
        .order_by_asc(post::Column::Slug)
        .all(&db)
        .await
        .unwrap();
    let comments = posts.load_many(comment::Entity, &db).await.unwrap();
    assert_eq!(comments.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0, 0]);
    let parents = comments[0].load_one(post::Entity, &db).await.unwrap();
    assert!(
        parents
            .iter()
            .all(|parent| parent.as_ref().unwrap().id == a.posts[0])
    );
    let tags = posts
        .load_many_to_many(tag::Entity, post_tag::Entity, &db)
        .await
        .unwrap();
    assert_eq!(tags.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0, 0]);
    assert!(tags[0].iter().all(|tag| tag.tenant_id == a.id));

    // B's models, however A came by them, lead to nothing.
    let foreign = post::Entity::find()
        .all(&world.test.as_scope(&b.scope))
        .await
        .unwrap();
    let comments = foreign.load_many(comment::Entity, &db).await.unwrap();
    assert!(comments.iter().all(Vec::is_empty));
    let tags = foreign
        .load_many_to_many(tag::Entity, post_tag::Entity, &db)
        .await
        .unwrap();
    assert!(tags.iter().all(Vec::is_empty));
    assert_eq!(
        foreign[0]
            .find_related(comment::Entity)
            .count(&db)
            .await
            .unwrap(),
        0
    );
    let own = posts[0]
        .find_related(comment::Entity)
        .count(&db)
        .await
        .unwrap();
    assert_eq!(own, 2);
}

#[tokio::test]
async fn d6_nullable_relations_keep_their_rows() {
    let world = World::new().await;
    let across = world
        .test
        .db()
        .across("countries are nobody's")
        .await
        .unwrap();
    country::ActiveModel {
        code: Set("fr".to_owned()),
        name: Set("France".to_owned()),
    }
    .insert(&across)
    .await
    .unwrap();
    let a = &world.a;
    let db = world.test.as_scope(&a.scope);
    post::ActiveModel {
        id: Set(a.posts[0]),
        country: Set(Some("fr".to_owned())),
        ..Default::default()
    }
    .update(&db)
    .await
    .unwrap();
    let with = post::Entity::find()
        .order_by_asc(post::Column::Slug)
        .find_also_related(country::Entity)
        .all(&db)
        .await
        .unwrap();
    let names: Vec<Option<&str>> = with
        .iter()
        .map(|(_, country)| country.as_ref().map(|c| c.name.as_str()))
        .collect();
    assert_eq!(names, [Some("France"), None, None]);

    // Scoped on both sides, and with a second owner on one.
    let author = a.author(1);
    let free = a.article(&world.test, 1, "free").await;
    let bound = a.article(&world.test, 1, "bound").await;
    let db = world.test.as_scope(&author);
    article::ActiveModel {
        id: Set(bound.id),
        post_id: Set(Some(a.posts[1])),
        ..Default::default()
    }
    .update(&db)
    .await
    .unwrap();
    let pairs = article::Entity::find()
        .order_by_asc(article::Column::Id)
        .find_also_related(post::Entity)
        .all(&db)
        .await
        .unwrap();
    assert_eq!(pairs[0].0.id, free.id);
    assert!(pairs[0].1.is_none());
    assert_eq!(pairs[1].1.as_ref().unwrap().id, a.posts[1]);
    let posts: Vec<_> = pairs.into_iter().map(|(article, _)| article).collect();
    let loaded = posts.load_one(post::Entity, &db).await.unwrap();
    assert_eq!(
        loaded.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, true]
    );
}

#[tokio::test]
async fn d7_a_link_table_shows_own_links() {
    let world = World::new().await;
    for own in [&world.a, &world.b] {
        let db = world.test.as_scope(&own.scope);
        let links = post_tag::Entity::find().all(&db).await.unwrap();
        assert_eq!(links.len(), 2);
        assert!(links.iter().all(|link| own.posts.contains(&link.post_id)));
        let tagged = tag::Entity::find()
            .find_with_related(post::Entity)
            .all(&db)
            .await
            .unwrap();
        assert_eq!(tagged.len(), 2);
        assert!(
            tagged
                .iter()
                .all(|(_, posts)| posts.len() == 1 && posts[0].id == own.posts[0])
        );
    }
    assert_isolated::<post_tag::Entity>(&world.test, world.a.id, world.b.id).await;
}

#[tokio::test]
async fn d8_a_path_isolates_as_a_column_does() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let (reaction, attachment) = a.deepen(&world.test).await;
    let foreign = b.deepen(&world.test).await;
    let db = world.test.as_scope(&a.scope);
    assert_eq!(
        reaction::Entity::find().all(&db).await.unwrap()[0].id,
        reaction
    );
    assert_eq!(
        attachment::Entity::find().all(&db).await.unwrap()[0].id,
        attachment
    );
    let by_id = async |id: Uuid| reaction::Entity::find_by_id(id).one(&db).await.unwrap();
    assert_eq!(by_id(foreign.0).await, by_id(Uuid::now_v7()).await);
    assert!(by_id(reaction).await.is_some());
    assert_isolated::<comment::Entity>(&world.test, a.id, b.id).await;
    assert_isolated::<reaction::Entity>(&world.test, a.id, b.id).await;
    assert_isolated::<attachment::Entity>(&world.test, a.id, b.id).await;
}

#[tokio::test]
async fn d8_a_path_holds_for_writes() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let (own, foreign) = (a.deepen(&world.test).await, b.deepen(&world.test).await);
    let db = world.test.as_scope(&a.scope);
    let rename = |id: Uuid| {
        reaction::Entity::update_many()
            .col_expr(
                reaction::Column::Emoji,
                sea_orm::sea_query::Expr::value("-1"),
            )
            .filter(sea_orm::ColumnTrait::eq(&reaction::Column::Id, id))
    };
    assert_eq!(rename(foreign.0).exec(&db).await.unwrap().rows_affected, 0);
    assert_eq!(rename(own.0).exec(&db).await.unwrap().rows_affected, 1);
    let delete = async |id: Uuid| {
        attachment::Entity::delete_by_id(id)
            .exec(&db)
            .await
            .unwrap()
            .rows_affected
    };
    assert_eq!(delete(foreign.1).await, 0);
    assert_eq!(delete(own.1).await, 1);
    let left: i64 = world
        .test
        .as_scope(&b.scope)
        .scalar("SELECT count(*) FROM attachment", [])
        .await
        .unwrap();
    assert_eq!(left, 1);
}
