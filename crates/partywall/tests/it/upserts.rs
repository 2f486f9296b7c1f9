//! D18: inserting what is there, or changing it, when another tenant holds the key.

use partywall::Sql;
use sea_orm::{
    ActiveValue::Set, EntityTrait, PaginatorTrait, QueryOrder, TryInsertResult,
    sea_query::OnConflict,
};
use uuid::Uuid;

use crate::models::{World, post, tag};

#[tokio::test]
async fn d18_an_upsert_on_a_foreign_key_leaves_it_alone() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let (db, foreign) = (world.test.as_scope(&a.scope), world.test.as_scope(&b.scope));
    let upsert = |id: Uuid, slug: &str| {
        let row = post::ActiveModel {
            id: Set(id),
            slug: Set(slug.to_owned()),
            title: Set("upserted".to_owned()),
            ..Default::default()
        };
        let key = [post::Column::TenantId, post::Column::Id];
        let conflict = OnConflict::columns(key)
            .update_column(post::Column::Title)
            .to_owned();
        post::Entity::insert(row).on_conflict(conflict)
    };
    // Held by B, held by nobody, and held by A: the same answer, and only A's row changes.
    for (n, id) in [b.posts[0], Uuid::now_v7(), a.posts[0]]
        .into_iter()
        .enumerate()
    {
        let row = upsert(id, &format!("upsert-{n}"))
            .exec_with_returning(&db)
            .await
            .unwrap();
        assert_eq!(
            (row.id, row.tenant_id, row.title.as_str()),
            (id, a.id, "upserted")
        );
    }
    assert_eq!(post::Entity::find().count(&db).await.unwrap(), 5);
    let many = [b.posts[1], a.posts[1]].map(|id| post::ActiveModel {
        id: Set(id),
        slug: Set(id.to_string()),
        title: Set("upserted".to_owned()),
        ..Default::default()
    });
    let key = [post::Column::TenantId, post::Column::Id];
    let conflict = OnConflict::columns(key)
        .update_column(post::Column::Title)
        .to_owned();
    let upserted = post::Entity::insert_many(many).on_conflict(conflict);
    assert_eq!(upserted.exec_without_returning(&db).await.unwrap(), 2);
    assert_eq!(post::Entity::find().count(&db).await.unwrap(), 6);
    let by_slug = "INSERT INTO post (id, slug, title) VALUES (gen_random_uuid(), $1, 'x') \
                   ON CONFLICT (tenant_id, slug) DO UPDATE SET title = 'x'";
    db.execute_sql("DELETE FROM post WHERE slug = 'post-1'", [])
        .await
        .unwrap();
    for slug in ["post-1", "nobody's", "post-2"] {
        assert_eq!(db.execute_sql(by_slug, [slug.into()]).await.unwrap(), 1);
    }
    let nothing = |label: &str| {
        let tag = tag::ActiveModel {
            id: Set(Uuid::now_v7()),
            label: Set(label.to_owned()),
            ..Default::default()
        };
        let conflict = OnConflict::new().do_nothing().to_owned();
        tag::Entity::insert(tag)
            .on_conflict(conflict)
            .try_insert()
            .exec(&db)
    };
    foreign
        .execute_sql(
            "INSERT INTO tag (id, label) VALUES (gen_random_uuid(), 'green')",
            [],
        )
        .await
        .unwrap();
    assert!(matches!(
        nothing("green").await.unwrap(),
        TryInsertResult::Inserted(_)
    ));
    assert!(matches!(
        nothing("red").await.unwrap(),
        TryInsertResult::Conflicted
    ));

    let theirs = post::Entity::find()
        .order_by_asc(post::Column::Slug)
        .all(&foreign)
        .await
        .unwrap();
    let titles: Vec<&str> = theirs.iter().map(|post| post.title.as_str()).collect();
    assert_eq!(titles, ["b 0", "b 1", "b 2"]);
}

/// The key that the model declares is not the key that the table has.
#[tokio::test]
async fn d18_a_conflict_target_without_the_owner_is_explained() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    let tag = || tag::ActiveModel {
        id: Set(Uuid::now_v7()),
        label: Set("green".to_owned()),
        ..Default::default()
    };
    let error = tag::Entity::insert(tag())
        .on_conflict_do_nothing()
        .exec(&db)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("owner's column"), "{error}");
    let key = [tag::Column::TenantId, tag::Column::Label];
    for inserted in [true, false] {
        let insert = tag::Entity::insert(tag()).on_conflict_do_nothing_on(key);
        let done = insert.exec_without_returning(&db).await.unwrap();
        assert_eq!(
            matches!(done, TryInsertResult::Inserted(1)),
            inserted,
            "{done:?}"
        );
    }
}
