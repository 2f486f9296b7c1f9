//! ETags: who has it already, and who has seen something else.

use serde_json::json;

use partywall::web::resource::Settings;

use super::site::{Site, item};
use crate::identity::world::id;

#[tokio::test]
async fn i44_an_etag_is_good_for_its_tenant_and_sight_alone() {
    let site = Site::new().await;
    let path = item("a", "note 0 of a");
    let known = site.get("ann", &path).await.is(200);
    let tag = known.header("etag").to_owned();
    let ask = async |who: &str, path: &str| {
        site.ask(who, "GET", path, &[("if-none-match", &tag)], "")
            .await
    };
    let again = ask("ann", &path).await.is(304);
    assert_eq!(
        (again.body.as_str(), again.header("etag")),
        ("", tag.as_str())
    );
    // Whoever may not see it is never told 304.
    let missing = site.get("eve", &item("a", "nothing")).await.is(404);
    for (who, path) in [
        ("eve", path.clone()),
        ("eve", item("b", "note 0 of a")),
        ("ann", item("b", "note 0 of a")),
    ] {
        assert_eq!(ask(who, &path).await, missing);
    }
    ask("nobody", &path).await.is(401);
    // The same row in another tenant, and the same row for who sees less of it, have other tags.
    let same =
        "UPDATE note SET secret = 's', created_at = '2026-01-01T00:00:00Z' WHERE title = 'note 0'";
    site.world.test.as_superuser(same).await.unwrap();
    ask("ann", &path).await.is(200);
    let own = site.get("ann", &path).await;
    let bobs = site.get("bob", &path).await;
    assert_ne!(own.header("etag"), bobs.header("etag"));
    site.ask(
        "bob",
        "GET",
        &path,
        &[("if-none-match", own.header("etag"))],
        "",
    )
    .await
    .is(200);
    // Two lists that look alike.
    let path = |tenant: &str| format!("/tenants/{tenant}/notes?title=nothing");
    let (one, other) = (
        site.get("ann", &path("a")).await.is(200),
        site.get("ann", &path("b")).await.is(200),
    );
    assert_eq!(one.body, other.body);
    assert_ne!(one.header("etag"), other.header("etag"));
    let tag = one.header("etag");
    site.ask("ann", "GET", &path("a"), &[("if-none-match", tag)], "")
        .await
        .is(304);
    site.ask("ann", "GET", &path("b"), &[("if-none-match", tag)], "")
        .await
        .is(200);
}

#[tokio::test]
async fn who_has_seen_something_else_changes_nothing() {
    let site = Site::new().await;
    let path = item("a", "note 0 of a");
    let seen = site.get("bob", &path).await.is(200);
    let tag = seen.header("etag").to_owned();
    let write = async |method: &str, tag: &str, title: &str| {
        let body = json!({"title": title}).to_string();
        site.ask("bob", method, &path, &[("if-match", tag)], &body)
            .await
    };
    let changed = write("PATCH", &tag, "first").await.is(200);
    for method in ["PATCH", "PUT", "DELETE"] {
        let stale = write(method, &tag, "second").await.is(412);
        assert_eq!(stale.json()["code"], "stale");
        write(method, "x", "second").await.is(400);
    }
    assert_eq!(site.get("bob", &path).await.json()["title"], "first");
    let replaced = write("PUT", changed.header("etag"), "second").await.is(200);
    write(
        "PATCH",
        &format!("\"x\", {}", replaced.header("etag")),
        "third",
    )
    .await
    .is(200);
    write("PATCH", "*", "fourth").await.is(200);
    // A chosen field does not change what was seen.
    let chosen = site
        .get("bob", &format!("{path}?fields=title"))
        .await
        .is(200);
    write("DELETE", chosen.header("etag"), "").await.is(204);
}

#[tokio::test]
async fn of_two_writers_who_saw_the_same_one_succeeds() {
    let site = Site::new().await;
    let path = item("a", "note 0 of a");
    for round in 0..10 {
        let tag = site
            .get("bob", &path)
            .await
            .is(200)
            .header("etag")
            .to_owned();
        let writers = (0..4).map(|n| {
            let body = json!({"body": format!("{round} {n}")}).to_string();
            let (site, path, tag) = (&site, &path, &tag);
            async move {
                site.ask("bob", "PATCH", path, &[("if-match", tag)], &body)
                    .await
                    .status
                    .as_u16()
            }
        });
        let mut answers = futures_util::future::join_all(writers).await;
        answers.sort_unstable();
        assert_eq!(answers, [200, 412, 412, 412]);
    }
}

#[tokio::test]
async fn a_resource_can_demand_it() {
    let site = Site::with(Settings::default().demanding_if_match(), |notes| notes).await;
    let path = item("a", "note 0 of a");
    let body = json!({"title": "x"});
    for method in ["PATCH", "PUT", "DELETE"] {
        site.send("bob", method, &path, &body).await.is(428);
    }
    let bulk = "/tenants/a/notes/bulk";
    let items = json!({"items": [{"id": id("note 0 of a"), "title": "x"}]});
    site.send("bob", "PATCH", bulk, &items).await.is(428);
    let ids = format!("{bulk}?ids={}", id("note 0 of a"));
    site.ask("bob", "DELETE", &ids, &[], "").await.is(428);
    // What is not there is not told to be changed badly.
    site.send("bob", "PATCH", &item("a", "note 0 of b"), &body)
        .await
        .is(404);
    let tag = site.get("bob", &path).await.header("etag").to_owned();
    site.ask(
        "bob",
        "PATCH",
        &path,
        &[("if-match", &tag)],
        &body.to_string(),
    )
    .await
    .is(200);
}
