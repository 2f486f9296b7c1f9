//! Fields that are chosen, hidden and frozen.

use serde_json::json;

use super::site::{Site, item};

#[tokio::test]
async fn i55_a_hidden_field_is_absent_and_refused() {
    let site = Site::new().await;
    let path = item("a", "note 0 of a");
    // The control: an owner sees and writes it.
    assert_eq!(
        site.get("ann", &path).await.is(200).json()["secret"],
        "secret 0 of a"
    );
    let change = json!({"secret": "new", "stars": 1});
    assert_eq!(
        site.send("ann", "PATCH", &path, &change)
            .await
            .is(200)
            .json()["secret"],
        "new"
    );
    assert_eq!(
        site.get("ann", "/tenants/a/notes?secret=new")
            .await
            .is(200)
            .titles(),
        ["note 0"]
    );
    assert_eq!(
        site.get("ann", "/tenants/a/notes?search=secret&title=note%201")
            .await
            .is(200)
            .titles(),
        ["note 1"]
    );
    site.get("ann", "/tenants/a/notes?sort=secret")
        .await
        .is(200);
    site.get("ann", &format!("{path}?fields=secret"))
        .await
        .is(200);
    // A member neither sees it, nor learns of it by any door.
    let seen = site.get("bob", &path).await.is(200);
    assert!(!seen.body.contains("secret") && !seen.body.contains("new"));
    let list = site.get("bob", "/tenants/a/notes").await.is(200);
    assert!(!list.body.contains("secret"));
    for format in ["csv", "jsonl"] {
        let export = site
            .get("bob", &format!("/tenants/a/notes?format={format}"))
            .await
            .is(200);
        assert!(!export.body.contains("secret") && export.body.contains("note 1"));
    }
    let told = |answer: super::site::Answer, name: &str| answer.body.replace(name, "NAME");
    for (hidden, random) in [
        ("/tenants/a/notes?secret=new", "/tenants/a/notes?random=new"),
        (
            "/tenants/a/notes?sort=secret",
            "/tenants/a/notes?sort=random",
        ),
        (
            "/tenants/a/notes?fields=secret",
            "/tenants/a/notes?fields=random",
        ),
    ] {
        let hidden = site.get("bob", hidden).await.is(400);
        let random = site.get("bob", random).await.is(400);
        assert_eq!(told(hidden, "secret"), told(random, "random"));
    }
    assert_eq!(
        site.get("bob", "/tenants/a/notes?search=secret")
            .await
            .is(200)
            .titles(),
        [""; 0]
    );
    for method in ["PATCH", "PUT"] {
        let hidden = json!({"title": "x", "secret": "mine"});
        let hidden = site.send("bob", method, &path, &hidden).await.is(422);
        let random = site
            .send(
                "bob",
                method,
                &path,
                &json!({"title": "x", "random": "mine"}),
            )
            .await
            .is(422);
        assert_eq!(
            hidden.errors(),
            [("secret".to_owned(), "unknown".to_owned())]
        );
        assert_eq!(told(hidden, "secret"), told(random, "random"));
    }
    let new = json!({"title": "x", "secret": "mine"});
    site.send("bob", "POST", "/tenants/a/notes", &new)
        .await
        .is(422);
    let many = json!({"items": [new]});
    let answer = site
        .send("bob", "POST", "/tenants/a/notes/bulk", &many)
        .await
        .is(422);
    assert_eq!(
        answer.errors(),
        [("items[0].secret".to_owned(), "unknown".to_owned())]
    );
    assert_eq!(site.count("note WHERE secret = 'mine'").await, 0);
    // A write by who does not see it leaves it as it is.
    site.send("bob", "PATCH", &path, &json!({"body": "b"}))
        .await
        .is(200);
    assert_eq!(
        site.count("note WHERE secret = 'new' AND body = 'b'").await,
        1
    );
}

#[tokio::test]
async fn i55_a_frozen_field_is_shown_and_refused() {
    let site = Site::new().await;
    let path = item("a", "note 1 of a");
    assert_eq!(site.get("bob", &path).await.is(200).json()["stars"], 1);
    let answer = site
        .send("bob", "PATCH", &path, &json!({"stars": 4}))
        .await
        .is(422);
    assert_eq!(answer.errors(), [("stars".to_owned(), "frozen".to_owned())]);
    site.send("ann", "PATCH", &path, &json!({"stars": 4}))
        .await
        .is(200);
    assert_eq!(site.get("bob", &path).await.is(200).json()["stars"], 4);
    site.get("bob", "/tenants/a/notes?stars=4&sort=stars")
        .await
        .is(200);
}

#[tokio::test]
async fn i55_to_replace_a_row_keeps_what_one_may_not_write() {
    let site = Site::new().await;
    let path = item("a", "note 1 of a");
    let body = json!({"title": "whole"});
    site.send("bob", "PUT", &path, &body).await.is(200);
    let kept = "note WHERE title = 'whole' AND stars = 1 AND secret = 'secret 1 of a'";
    assert_eq!(site.count(kept).await, 1);
    site.send("ann", "PUT", &path, &body).await.is(200);
    let replaced = "note WHERE title = 'whole' AND stars = 0 AND secret IS NULL";
    assert_eq!(site.count(replaced).await, 1);
}

#[tokio::test]
async fn fields_are_chosen_in_the_order_asked() {
    let site = Site::new().await;
    let list = site
        .get("ann", "/tenants/a/notes?fields=stars,title&limit=1")
        .await
        .is(200);
    let start = r#"{"items":[{"stars":0,"title":"note 0"}],"#;
    assert!(list.body.starts_with(start), "{}", list.body);
    let path = item("a", "note 1 of a");
    let one = site
        .get("ann", &format!("{path}?fields=folder,id"))
        .await
        .is(200);
    assert_eq!(one.json()["folder"], "folder of a");
    assert_eq!(one.json().as_object().unwrap().len(), 2);
    let changed = site
        .send(
            "ann",
            "PATCH",
            &format!("{path}?fields=title"),
            &json!({"title": "x"}),
        )
        .await
        .is(200);
    assert_eq!(changed.body, r#"{"title":"x"}"#);
    site.get("ann", &format!("{path}?sort=title")).await.is(400);
    site.get("ann", &format!("{path}?fields=nothing"))
        .await
        .is(400);
}
