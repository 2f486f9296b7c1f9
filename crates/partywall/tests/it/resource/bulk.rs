//! Several rows at once: all of them or none.

use serde_json::{Value, json};

use super::{
    notes::UNLUCKY,
    site::{Answer, Site, item},
};
use crate::identity::world::id;

const BULK: &str = "/tenants/a/notes/bulk";

fn ids(names: &[&str]) -> String {
    let ids: Vec<String> = names.iter().map(|name| id(name).to_string()).collect();
    format!("{BULK}?ids={}", ids.join(","))
}

async fn remove(site: &Site, names: &[&str]) -> Answer {
    site.ask("ann", "DELETE", &ids(names), &[], "").await
}

fn change(id: impl Into<Value>, title: &str) -> Value {
    json!({"id": id.into(), "title": title})
}

#[tokio::test]
async fn rows_are_made_changed_and_removed_together() {
    let site = Site::new().await;
    let body = json!({"items": [{"title": "one", "folder": id("folder of a")}, {"title": "two"}]});
    let made = site.send("bob", "POST", BULK, &body).await.is(201);
    assert_eq!(made.titles(), ["one", "two"]);
    let (one, two) = (
        &made.json()["items"][0]["id"],
        &made.json()["items"][1]["id"],
    );
    let body = json!({"items": [change(two.clone(), "2"), change(one.clone(), "1")]});
    let changed = site.send("bob", "PATCH", BULK, &body).await.is(200);
    assert_eq!(changed.titles(), ["2", "1"]);
    let path = format!(
        "{BULK}?ids={},{}",
        one.as_str().unwrap(),
        two.as_str().unwrap()
    );
    site.ask("bob", "DELETE", &path, &[], "").await.is(204);
    assert_eq!(site.count("note").await, 10);
}

#[tokio::test]
async fn i36_a_bulk_call_with_mixed_ids_changes_nothing_and_hints_nothing() {
    let site = Site::new().await;
    let missing = remove(&site, &["note 0 of a", "nothing"]).await.is(404);
    for names in [
        &["note 0 of a", "note 0 of b"][..],
        &["note 0 of b", "note 0 of a"],
        &["note 0 of b"],
        &["note 0 of a", "note 0 of a", "note 0 of b"],
    ] {
        assert_eq!(remove(&site, names).await, missing, "{names:?}");
    }
    let malformed = format!("{BULK}?ids={},x", id("note 0 of a"));
    assert_eq!(
        site.ask("ann", "DELETE", &malformed, &[], "").await,
        missing
    );
    assert_eq!(site.count("note").await, 10);
    let mine = id("note 0 of a").to_string();
    let update = async |items: Value| {
        site.send("ann", "PATCH", BULK, &json!({"items": items}))
            .await
    };
    let missing = update(json!([
        change(mine.as_str(), "x"),
        change(id("nothing").to_string(), "y")
    ]))
    .await
    .is(404);
    for other in [
        json!(id("note 0 of b")),
        json!(mine.to_uppercase()),
        json!("x"),
        json!(7),
        Value::Null,
    ] {
        // What else is wrong is not told before: no title is as long.
        for title in ["y", &"y".repeat(51)] {
            let items = json!([change(mine.as_str(), "x"), change(other.clone(), title)]);
            assert_eq!(update(items).await, missing, "{other}");
        }
    }
    assert_eq!(update(json!([{"title": "no id"}])).await, missing);
    assert_eq!(site.count("note WHERE title LIKE 'note _'").await, 10);
    update(json!([change(mine.as_str(), "x")])).await.is(200);
    remove(&site, &["note 0 of a", "note 1 of a"]).await.is(204);
    assert_eq!(site.count("note").await, 8);
}

#[tokio::test]
async fn i37_a_part_that_is_aimed_at_another_tenant_is_404() {
    let site = Site::new().await;
    let before = site.get("eve", "/tenants/b/notes").await.is(200);
    for (who, method, body) in [
        (
            "ann",
            "PATCH",
            json!({"items": [change(id("note 0 of b").to_string(), "x")]}),
        ),
        (
            "bob",
            "PATCH",
            json!({"items": [change(id("note 1 of b").to_string(), "x")]}),
        ),
    ] {
        site.send(who, method, BULK, &body).await.is(404);
    }
    for (who, method) in [("bob", "POST"), ("bob", "PATCH"), ("bob", "DELETE")] {
        site.send(who, method, "/tenants/b/notes/bulk", &json!({}))
            .await
            .is(404);
    }
    // ann only views B.
    let ask = format!("/tenants/b/notes/bulk?ids={}", id("note 0 of b"));
    site.ask("ann", "DELETE", &ask, &[], "").await.is(403);
    assert_eq!(site.get("eve", "/tenants/b/notes").await, before);
    site.ask("eve", "DELETE", &ask, &[], "").await.is(204);
}

#[tokio::test]
async fn errors_have_their_place_in_the_list() {
    let site = Site::new().await;
    let create = async |items: Value| {
        site.send("ann", "POST", BULK, &json!({"items": items}))
            .await
    };
    let pair = |field: &str, code: &str| (field.to_owned(), code.to_owned());
    let answer = create(json!([{"title": "ok"}, {"title": "", "stars": 9}, {"role": "x"}, 7]))
        .await
        .is(422);
    let all = [
        pair("items[1].stars", "invalid"),
        pair("items[1].title", "invalid"),
        pair("items[2].role", "unknown"),
        pair("items[3]", "wrong_type"),
    ];
    assert_eq!(answer.errors(), all);
    let foreign = json!([{"title": "ok", "folder": id("folder of a")}, {"title": "x", "folder": id("folder of b")}]);
    assert_eq!(
        create(foreign).await.is(422).errors(),
        [pair("items[1].folder", "no_such")]
    );
    let taken = json!([{"title": "free"}, {"title": "note 3"}]);
    assert_eq!(
        create(taken).await.is(409).errors(),
        [pair("items[1].title", "taken")]
    );
    let twice = id("note 0 of a").to_string();
    let items = json!({"items": [change(twice.as_str(), "x"), change(twice.as_str(), "y")]});
    let answer = site.send("ann", "PATCH", BULK, &items).await.is(422);
    assert_eq!(answer.errors(), [pair("items[1].id", "repeated")]);
    create(json!([{"title": "lucky"}, {"title": UNLUCKY}]))
        .await
        .is(503);
    assert_eq!(site.count("note").await, 10);
}

#[tokio::test]
async fn there_are_limits() {
    let site = Site::new().await;
    let many: Vec<Value> = (0..101)
        .map(|n| json!({"title": format!("many {n}")}))
        .collect();
    site.send("ann", "POST", BULK, &json!({"items": many}))
        .await
        .is(422);
    site.send("ann", "POST", BULK, &json!({"items": many[..100]}))
        .await
        .is(201);
    for body in [
        json!({"items": []}),
        json!({}),
        json!([]),
        json!({"items": [{"title": "x"}], "x": 1}),
    ] {
        site.send("ann", "POST", BULK, &body).await.is(422);
    }
    for query in ["", "?ids=x&ids=y", "?id=x"] {
        site.ask("ann", "DELETE", &format!("{BULK}{query}"), &[], "")
            .await
            .is(400);
    }
    assert_eq!(site.count("note").await, 110);
}

#[tokio::test]
async fn the_policy_is_asked_about_each_row() {
    let site = Site::new().await;
    let five = "UPDATE note SET stars = 5 WHERE title = 'note 3'";
    site.world.test.as_superuser(five).await.unwrap();
    // One at a time it is refused, and so it is among others.
    site.ask("ann", "DELETE", &item("a", "note 3 of a"), &[], "")
        .await
        .is(403);
    remove(&site, &["note 0 of a", "note 3 of a"]).await.is(403);
    let items = json!({"items": [change(id("note 3 of a").to_string(), "x")]});
    site.send("ann", "PATCH", BULK, &items).await.is(403);
    assert_eq!(site.count("note").await, 10);
    remove(&site, &["note 0 of a", "note 2 of a"]).await.is(204);
}
