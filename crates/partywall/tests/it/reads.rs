use partywall::{Sql, Within, testing::*};
use sea_orm::{EntityTrait, PaginatorTrait};

use crate::models::{World, comment, post};

#[tokio::test]
async fn d1_listing_gives_own_rows_only() {
    let world = World::new().await;
    for (own, foreign) in [(&world.a, &world.b), (&world.b, &world.a)] {
        let db = world.test.as_scope(&own.scope);
        let listed = post::Entity::find().all(&db).await.unwrap();
        assert_eq!(listed.len(), 3);
        assert!(listed.iter().all(|post| post.tenant_id == own.id));
        assert!(listed.iter().all(|post| !foreign.posts.contains(&post.id)));
        let with_filter = post::Entity::find().within(&own.scope).count(&db).await.unwrap();
        assert_eq!(with_filter, 3);
    }
}

#[tokio::test]
async fn smoke() {
    let world = World::new().await;
    let n: i64 = world.test.as_scope(&world.a.scope).scalar("select count(*) from comment", []).await.unwrap();
    assert_eq!(n, 2);
    assert_isolated::<post::Entity>(&world.test, world.a.id, world.b.id).await;
    assert_isolated::<comment::Entity>(&world.test, world.a.id, world.b.id).await;
    assert_blocks_without_scope(&world.test).await;
    assert_enforced(&world.test).await;
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    let all = post::Entity::find().find_with_related(comment::Entity).all(&tx).await.unwrap();
    assert_eq!(all.len(), 3);
    tx.commit().await.unwrap();
    let across = world.test.db().across("a look").await.unwrap();
    assert_eq!(post::Entity::find().count(&across).await.unwrap(), 6);
}
