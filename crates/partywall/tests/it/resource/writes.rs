//! What makes, changes and removes a row.

use serde_json::{Value, json};

use super::{
    notes::UNLUCKY,
    site::{Site, item},
};
use crate::identity::world::id;

const LIST: &str = "/tenants/a/notes";

fn pair(field: &str, code: &str) -> (String, String) {
    (field.to_owned(), code.to_owned())
}

#[tokio::test]
async fn a_row_is_made_changed_replaced_and_removed() {
    let site = Site::new().await;
    let body = json!({"title": "new", "folder": id("folder of a")});
    let made = site.send("bob", "POST", LIST, &body).await.is(201);
    let path = made.header("location").to_owned();
    assert_eq!(
        path,
        format!("{LIST}/{}", made.json()["id"].as_str().unwrap())
    );
    assert_eq!(made.json()["folder"], "folder of a");
    let read = site.get("bob", &path).await.is(200);
    assert_eq!(
        (&read.body, read.header("etag")),
        (&made.body, made.header("etag"))
    );
    let changed = site
        .send("bob", "PATCH", &path, &json!({"body": "text"}))
        .await
        .is(200);
    assert_eq!(
        (
            changed.json()["title"].as_str(),
            changed.json()["body"].as_str()
        ),
        (Some("new"), Some("text"))
    );
    // Null is not absent.
    let changed = site
        .send(
            "bob",
            "PATCH",
            &path,
            &json!({"body": null, "folder": null}),
        )
        .await
        .is(200);
    assert_eq!(
        (&changed.json()["body"], changed.json().get("folder")),
        (&Value::Null, None)
    );
    let answer = site
        .send("bob", "PATCH", &path, &json!({"title": null}))
        .await
        .is(422);
    assert_eq!(answer.errors(), [pair("title", "wrong_type")]);
    site.send("bob", "PATCH", &path, &json!({})).await.is(200);
    let replaced = site
        .send("bob", "PUT", &path, &json!({"title": "other"}))
        .await
        .is(200);
    assert_eq!(replaced.json()["id"], made.json()["id"]);
    assert_eq!(replaced.json()["title"], "other");
    site.ask("bob", "DELETE", &path, &[], "").await.is(204);
    site.get("bob", &path).await.is(404);
    assert_eq!(site.count("note").await, 10);
}

#[tokio::test]
async fn i34_fields_of_the_server_are_refused_and_change_nothing() {
    let site = Site::new().await;
    let own = json!({"title": "x", "id": id("x"), "tenant_id": id("b"), "account_id": id("y"), "role": "owner", "created_at": "2020-01-01T00:00:00Z"});
    let all =
        ["account_id", "created_at", "id", "role", "tenant_id"].map(|field| pair(field, "unknown"));
    assert_eq!(
        site.send("ann", "POST", LIST, &own).await.is(422).errors(),
        all
    );
    for method in ["PUT", "PATCH"] {
        let answer = site
            .send("ann", method, &item("a", "note 0 of a"), &own)
            .await
            .is(422);
        assert_eq!(answer.errors(), all);
    }
    // A tenant in the query that is another one.
    let query = format!("{LIST}?tenant_id={}", id("b"));
    site.send("ann", "POST", &query, &json!({"title": "x"}))
        .await
        .is(400);
    assert_eq!(site.count("note").await, 10);
    assert_eq!(
        site.count(&format!("note WHERE tenant_id = '{}'", id("b")))
            .await,
        3
    );
    site.send("ann", "POST", LIST, &json!({"title": "x"}))
        .await
        .is(201);
}

#[tokio::test]
async fn i35_a_foreign_row_cannot_be_referred_to() {
    let site = Site::new().await;
    let refused = async |method: &str, path: &str, folder: Value| {
        let answer = site
            .send(
                "ann",
                method,
                path,
                &json!({"title": "x", "folder": folder}),
            )
            .await
            .is(422);
        assert_eq!(answer.errors(), [pair("folder", "no_such")]);
        answer
    };
    let own = item("a", "note 2 of a");
    for (method, path) in [
        ("POST", LIST),
        ("PUT", own.as_str()),
        ("PATCH", own.as_str()),
    ] {
        let missing = refused(method, path, json!(id("nothing"))).await;
        for folder in [
            json!(id("folder of b")),
            json!(id("folder of a").to_string().to_uppercase()),
            json!("folder of a"),
            json!(7),
            json!([]),
            json!(""),
        ] {
            assert_eq!(refused(method, path, folder).await, missing);
        }
        let own = json!({"title": format!("x {method}"), "folder": id("folder of a")});
        let status = site.send("ann", method, path, &own).await.status;
        assert!(status.is_success(), "{status}");
    }
}

#[tokio::test]
async fn i39_a_name_taken_in_another_tenant_is_free() {
    let site = Site::new().await;
    // Taken in A.
    let taken = site
        .send("ann", "POST", LIST, &json!({"title": "note 5"}))
        .await
        .is(409);
    assert_eq!(taken.errors(), [pair("title", "taken")]);
    assert_eq!(
        (
            taken.json()["code"].as_str(),
            taken.json()["field"].as_str()
        ),
        (Some("taken"), Some("title"))
    );
    let taken = site
        .send(
            "ann",
            "PATCH",
            &item("a", "note 1 of a"),
            &json!({"title": "note 5"}),
        )
        .await
        .is(409);
    assert_eq!(taken.errors(), [pair("title", "taken")]);
    // Free in B, and then taken there.
    site.send(
        "eve",
        "POST",
        "/tenants/b/notes",
        &json!({"title": "note 5"}),
    )
    .await
    .is(201);
    site.send(
        "eve",
        "POST",
        "/tenants/b/notes",
        &json!({"title": "note 5"}),
    )
    .await
    .is(409);
    assert_eq!(site.count("note WHERE title = 'note 5'").await, 2);
}

#[tokio::test]
async fn i38_what_is_there_is_never_written_over() {
    let site = Site::new().await;
    let before = site.get("eve", &item("b", "note 0 of b")).await.is(200);
    for (method, path) in [
        ("POST", LIST.to_owned()),
        ("PUT", item("a", "note 0 of b")),
        ("PATCH", item("a", "note 0 of b")),
        ("PUT", item("a", "nothing")),
    ] {
        let body = json!({"title": "note 0"});
        let status = site.send("ann", method, &path, &body).await.status.as_u16();
        assert!(status == 409 || status == 404, "{method} {path} {status}");
    }
    assert_eq!(site.get("eve", &item("b", "note 0 of b")).await, before);
    assert_eq!(site.count("note").await, 10);
    site.send(
        "ann",
        "PUT",
        &item("a", "note 0 of a"),
        &json!({"title": "note 0"}),
    )
    .await
    .is(200);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let site = Site::new().await;
    let body = json!({"title": "", "body": "x".repeat(1_001), "stars": 6});
    let answer = site.send("ann", "POST", LIST, &body).await.is(422);
    assert_eq!(
        answer.errors(),
        [
            pair("body", "invalid"),
            pair("stars", "invalid"),
            pair("title", "invalid")
        ]
    );
    let nul = site
        .send("ann", "POST", LIST, &json!({"title": "a\0"}))
        .await
        .is(422);
    assert_eq!(nul.errors(), [pair("title", "invalid")]);
    for (kind, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "", 400),
        ("text/plain", "{\"title\":\"x\"}", 415),
        ("application/x-www-form-urlencoded", "title=x", 415),
        ("application/json", "[]", 422),
        ("application/json", "{\"title\":\"x\",\"title\":\"y\"}", 400),
    ] {
        let answer = site
            .ask("ann", "POST", LIST, &[("content-type", kind)], body)
            .await
            .is(status);
        for inside in ["NewNote", "struct", "expected", "serde"] {
            assert!(!answer.body.contains(inside), "{}", answer.body);
        }
    }
    let long = json!({"title": "x".repeat(1 << 21)});
    site.send("ann", "POST", LIST, &long).await.is(413);
    // None of it is told to who may not write: the order of answers.
    site.ask("eve", "POST", LIST, &[], "{").await.is(404);
    site.ask("nobody", "POST", LIST, &[], "{").await.is(401);
    site.ask("ann", "POST", "/tenants/b/notes", &[], "{")
        .await
        .is(403);
    assert_eq!(site.count("note").await, 10);
}

#[tokio::test]
async fn a_write_is_whole_or_not_at_all() {
    let site = Site::new().await;
    site.send("ann", "POST", LIST, &json!({"title": UNLUCKY}))
        .await
        .is(503);
    let path = item("a", "note 0 of a");
    site.send("ann", "PATCH", &path, &json!({"title": UNLUCKY}))
        .await
        .is(503);
    assert_eq!(
        site.count(&format!("note WHERE title = '{UNLUCKY}'")).await,
        0
    );
    assert_eq!(site.count("note").await, 10);
}

#[tokio::test]
async fn what_something_refers_to_stays() {
    let site = Site::new().await;
    let folder = format!("/tenants/a/folders/{}", id("folder of a"));
    let answer = site.ask("ann", "DELETE", &folder, &[], "").await.is(409);
    assert_eq!(answer.json()["code"], "in_use");
    site.send(
        "ann",
        "PATCH",
        &item("a", "note 1 of a"),
        &json!({"folder": null}),
    )
    .await
    .is(200);
    site.ask("ann", "DELETE", &folder, &[], "").await.is(204);
}

#[tokio::test]
async fn a_row_can_be_marked_in_place_of_removed() {
    let site = Site::new().await;
    let list = format!("/tenants/a/notes/{}/replies", id("note 0 of a"));
    for (text, left) in [("keep", 1), ("go", 1)] {
        let made = site
            .send("ann", "POST", &list, &json!({"text": text}))
            .await
            .is(201);
        site.ask("ann", "DELETE", made.header("location"), &[], "")
            .await
            .is(204);
        assert_eq!(site.count("reply WHERE text = 'removed'").await, left);
    }
    assert_eq!(site.count("reply").await, 1);
}

#[tokio::test]
async fn the_policy_is_asked_about_the_row_that_was_made() {
    let site = Site::new().await;
    let body = json!({"title": "mine", "is_private": true});
    site.send("bob", "POST", LIST, &body).await.is(403);
    let bulk = json!({"items": [{"title": "other"}, body]});
    site.send("bob", "POST", "/tenants/a/notes/bulk", &bulk)
        .await
        .is(403);
    assert_eq!(site.count("note").await, 10);
    site.send("ann", "POST", LIST, &body).await.is(201);
    site.send("bob", "POST", LIST, &json!({"title": "open"}))
        .await
        .is(201);
}
