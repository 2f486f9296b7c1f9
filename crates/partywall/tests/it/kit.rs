//! The testing kit's assertions hold for a good database and fail for a damaged one.

use std::{future::Future, sync::Arc};

use partywall::{Sql, testing::*};

use crate::models::{World, comment, event, invoice, post, post_tag, tag};

/// The message that a future panics with.
async fn panic_of(future: impl Future<Output = ()> + Send + 'static) -> String {
    let panic = tokio::spawn(future)
        .await
        .expect_err("it should have failed")
        .into_panic();
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic
            .downcast::<&str>()
            .map_or_else(|_| String::new(), |s| (*s).to_owned()),
    }
}

async fn posts_isolated(world: Arc<World>) {
    assert_isolated::<post::Entity>(&world.test, world.a.id, world.b.id).await;
}

#[tokio::test]
async fn a_good_database_passes() {
    let world = World::new().await;
    let (test, a, b) = (&world.test, world.a.id, world.b.id);
    for own in [&world.a, &world.b] {
        test.as_scope(&own.scope)
            .execute_sql("INSERT INTO event (what) VALUES ('x')", [])
            .await
            .unwrap();
        let across = test.db().across("an invoice each").await.unwrap();
        let invoice =
            "INSERT INTO invoice (id, tenant_id, cents) VALUES (gen_random_uuid(), $1, 1)";
        across.execute_sql(invoice, [own.id.into()]).await.unwrap();
    }
    assert_isolated::<post::Entity>(test, a, b).await;
    assert_isolated::<comment::Entity>(test, a, b).await;
    assert_isolated::<tag::Entity>(test, a, b).await;
    assert_isolated::<post_tag::Entity>(test, a, b).await;
    assert_isolated::<event::Entity>(test, a, b).await;
    assert_isolated::<invoice::Entity>(test, a, b).await;
    assert_blocks_without_scope(test).await;
    assert_enforced(test).await;
}

#[tokio::test]
async fn nothing_is_shown_without_rows() {
    let world = Arc::new(World::new().await);
    let message = panic_of(async move {
        assert_isolated::<event::Entity>(&world.test, world.a.id, world.b.id).await;
    });
    assert!(message.await.contains("has no row"));
}

#[tokio::test]
async fn row_security_switched_off_is_found() {
    let world = Arc::new(World::new().await);
    world
        .test
        .as_superuser("ALTER TABLE post DISABLE ROW LEVEL SECURITY")
        .await
        .unwrap();
    assert!(
        panic_of(posts_isolated(world.clone()))
            .await
            .contains("see the same row")
    );
    let (one, two) = (world.clone(), world);
    let blocks = panic_of(async move { assert_blocks_without_scope(&one.test).await });
    assert!(blocks.await.contains("rows show"));
    let enforced = panic_of(async move { assert_enforced(&two.test).await });
    assert!(enforced.await.contains("row security"));
}

#[tokio::test]
async fn a_widened_policy_is_found() {
    let world = Arc::new(World::new().await);
    let widen = "ALTER POLICY partywall_app_tenant ON post USING (true)";
    world.test.as_superuser(widen).await.unwrap();
    assert!(
        panic_of(posts_isolated(world.clone()))
            .await
            .contains("see the same row")
    );
    let enforced = panic_of(async move { assert_enforced(&world.test).await });
    assert!(enforced.await.contains("partywall_app_tenant"));
}

/// A policy for one command alone, so that another reaches every row without showing any.
async fn policy_without(command: &str) -> Arc<World> {
    let world = Arc::new(World::new().await);
    let mut damage = "DROP POLICY partywall_app_tenant ON post;".to_owned();
    for kept in ["SELECT", "INSERT", "UPDATE", "DELETE"]
        .iter()
        .filter(|kept| **kept != command)
    {
        let clause = if *kept == "INSERT" {
            "WITH CHECK"
        } else {
            "USING"
        };
        damage.push_str(&format!(
            "CREATE POLICY {kept}_only ON post AS RESTRICTIVE FOR {kept} TO blog_app \
             {clause} (tenant_id = partywall.tenant());"
        ));
    }
    world.test.as_superuser(&damage).await.unwrap();
    world
}

#[tokio::test]
async fn a_blind_delete_is_found() {
    let world = policy_without("DELETE").await;
    let message = panic_of(posts_isolated(world)).await;
    assert!(message.contains("DELETE without WHERE"), "{message}");
}

#[tokio::test]
async fn a_blind_update_is_found() {
    let world = policy_without("UPDATE").await;
    let message = panic_of(posts_isolated(world)).await;
    assert!(message.contains("UPDATE without WHERE"), "{message}");
}

#[tokio::test]
async fn an_insert_as_another_is_found() {
    let world = policy_without("INSERT").await;
    let message = panic_of(posts_isolated(world)).await;
    assert!(message.contains("INSERT"), "{message}");
}
