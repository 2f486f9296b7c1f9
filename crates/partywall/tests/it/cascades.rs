//! D19: deleting what others hang on.

use partywall::{
    Sql,
    db::{Error, ErrorKind},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr, EntityTrait, PaginatorTrait, Value};

use crate::models::{Tenant, World, article, attachment, comment, post, post_tag};

#[tokio::test]
async fn d19_cascades_stay_inside() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let (db, foreign) = (world.test.as_scope(&a.scope), world.test.as_scope(&b.scope));
    // B has rows under the very ids that A is about to delete.
    let twin = post::ActiveModel {
        id: Set(a.posts[0]),
        slug: Set("twin".to_owned()),
        title: Set("twin".to_owned()),
        ..Default::default()
    };
    twin.insert(&foreign).await.unwrap();
    foreign
        .execute_sql("UPDATE comment SET post_id = $1", [a.posts[0].into()])
        .await
        .unwrap();
    foreign
        .execute_sql(
            "INSERT INTO attachment (id, comment_id, name) SELECT gen_random_uuid(), id, 'x' FROM comment",
            [],
        )
        .await
        .unwrap();
    db.execute_sql(
        "INSERT INTO attachment (id, comment_id, name) SELECT gen_random_uuid(), id, 'x' FROM comment",
        [],
    )
    .await
    .unwrap();
    let linked = |tenant: &Tenant| {
        let scope = tenant.author(1);
        let post: Value = a.posts[0].into();
        let test = &world.test;
        async move {
            let set = "UPDATE article SET post_id = $1";
            assert_eq!(
                test.as_scope(&scope)
                    .execute_sql(set, [post])
                    .await
                    .unwrap(),
                1
            );
        }
    };
    a.article(&world.test, 1, "a").await;
    b.article(&world.test, 1, "b").await;
    linked(a).await;
    linked(b).await;

    let gone = post::Entity::delete_by_id(a.posts[0])
        .exec(&db)
        .await
        .unwrap();
    assert_eq!(gone.rows_affected, 1);
    for (db, left) in [(&db, 0), (&foreign, 2)] {
        assert_eq!(comment::Entity::find().count(db).await.unwrap(), left);
        assert_eq!(attachment::Entity::find().count(db).await.unwrap(), left);
        assert_eq!(post_tag::Entity::find().count(db).await.unwrap(), left);
    }
    for (tenant, kept) in [(a, None), (b, Some(a.posts[0]))] {
        let db = world.test.as_scope(&tenant.author(1));
        let article = article::Entity::find().one(&db).await.unwrap().unwrap();
        assert_eq!((article.post_id, article.tenant_id), (kept, tenant.id));
    }
}

#[tokio::test]
async fn d19_a_restricted_delete_is_refused_by_own_rows_only() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    world.b.deepen(&world.test).await;
    let (db, foreign) = (world.test.as_scope(&a.scope), world.test.as_scope(&b.scope));
    let delete = "DELETE FROM comment";
    assert_eq!(db.execute_sql(delete, []).await.unwrap(), 2);
    let held = foreign.execute_sql(delete, []).await.unwrap_err();
    assert_eq!(held.kind(), ErrorKind::ForeignKey, "{held}");
    let through_orm = comment::Entity::delete_many()
        .exec(&foreign)
        .await
        .unwrap_err();
    assert!(
        matches!(&through_orm, DbErr::Query(_) | DbErr::Exec(_)),
        "{through_orm:?}"
    );
    assert_eq!(Error::kind_behind(&through_orm), ErrorKind::ForeignKey);
}
