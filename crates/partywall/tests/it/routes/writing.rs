//! Endpoints that are one transaction.

use super::project::Site;
use crate::identity::world::id;

#[tokio::test]
async fn what_was_not_committed_was_not_done_and_is_no_success() {
    let site = Site::new().await;
    let path = |project: &str| format!("/tenants/a/projects/{}", id(project));
    site.send("bob", "PUT", &path("a1"), "\"renamed\"")
        .await
        .is(204);
    assert_eq!(site.get("bob", &path("a1")).await.body, "\"renamed\"");
    let forget = format!("{}/forget", path("a2"));
    site.send("bob", "POST", &forget, "").await.is(500);
    assert_eq!(site.get("bob", &path("a2")).await.body, "\"a2\"");
}

#[tokio::test]
async fn a_long_body_is_refused_and_writes_nothing() {
    let site = Site::new().await;
    let path = format!("/tenants/a/projects/{}", id("a1"));
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    site.send("bob", "PUT", &path, &long).await.is(413);
    assert_eq!(site.name(id("a1")).await, 1);
}
