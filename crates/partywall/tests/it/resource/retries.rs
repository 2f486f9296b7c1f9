//! Idempotency keys: sent twice and done once.

use std::time::Duration;

use partywall::web::resource::{Settings, idempotency};
use serde_json::json;

use super::site::{Answer, Site};

const LIST: &str = "/tenants/a/notes";

async fn create(site: &Site, who: &str, path: &str, key: &str, title: &str) -> Answer {
    let body = json!({"title": title}).to_string();
    site.ask(who, "POST", path, &[("idempotency-key", key)], &body)
        .await
}

#[tokio::test]
async fn what_is_sent_twice_is_done_once() {
    let site = Site::new().await;
    let first = create(&site, "bob", LIST, "one", "new").await.is(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = create(&site, "bob", LIST, "\"one\"", "new").await.is(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.body, first.body);
    for header in ["location", "etag", "content-type"] {
        assert_eq!(again.header(header), first.header(header), "{header}");
    }
    assert_eq!(site.count("note WHERE title = 'new'").await, 1);
    // The same key for something else.
    let other = create(&site, "bob", LIST, "one", "other").await.is(422);
    assert_eq!(other.json()["code"], "idempotency_key_reused");
    let query = create(&site, "bob", &format!("{LIST}?fields=id"), "one", "new")
        .await
        .is(422);
    assert_eq!(query.json()["code"], "idempotency_key_reused");
    // The key of somebody else, of another tenant, of another endpoint is another key.
    create(&site, "ann", LIST, "one", "of ann").await.is(201);
    create(&site, "eve", "/tenants/b/notes", "one", "new")
        .await
        .is(201);
    let many = json!({"items": [{"title": "of many"}]}).to_string();
    for replayed in ["", "true"] {
        let answer = site
            .ask(
                "bob",
                "POST",
                &format!("{LIST}/bulk"),
                &[("idempotency-key", "one")],
                &many,
            )
            .await
            .is(201);
        assert_eq!(answer.header("idempotency-replayed"), replayed);
        assert_eq!(answer.titles(), ["of many"]);
    }
    for bad in ["", "a b", "ä", &"x".repeat(256)] {
        create(&site, "bob", LIST, bad, "bad").await.is(400);
    }
    // Without a key, twice is twice: the title is taken.
    site.send("bob", "POST", LIST, &json!({"title": "new"}))
        .await
        .is(409);
}

#[tokio::test]
async fn what_was_refused_may_be_put_right() {
    let site = Site::new().await;
    create(&site, "bob", LIST, "one", "").await.is(422);
    create(&site, "bob", LIST, "one", "note 1").await.is(409);
    create(&site, "bob", LIST, "one", super::notes::UNLUCKY)
        .await
        .is(503);
    assert_eq!(site.count("web.idempotency_key").await, 0);
    create(&site, "bob", LIST, "one", "new").await.is(201);
    assert_eq!(site.count("web.idempotency_key").await, 1);
}

#[tokio::test]
async fn two_at_once_are_one() {
    let site = Site::new().await;
    for round in 0..20 {
        let title = format!("at-once-{round}");
        let sent = (0..6).map(|_| create(&site, "bob", LIST, &title, &title));
        let answers = futures_util::future::join_all(sent).await;
        let made: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == 201)
            .collect();
        let first = made
            .iter()
            .filter(|answer| answer.header("idempotency-replayed").is_empty());
        assert_eq!(first.count(), 1, "{answers:?}");
        assert!(made.iter().all(|answer| answer.body == made[0].body));
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let code = &answer.json()["code"];
            assert_eq!(
                (answer.status.as_u16(), code.as_str()),
                (409, Some("idempotency_key_in_use"))
            );
            assert_eq!(answer.header("retry-after"), "1");
        }
        assert_eq!(
            site.count(&format!("note WHERE title = '{title}'")).await,
            1
        );
    }
}

#[tokio::test]
async fn what_was_hidden_since_is_not_told_again() {
    let site = Site::new().await;
    let body = json!({"title": "new", "secret": "s3cr3t"}).to_string();
    let ask = async || {
        site.ask("ann", "POST", LIST, &[("idempotency-key", "one")], &body)
            .await
    };
    assert!(ask().await.is(201).body.contains("s3cr3t"));
    let viewer = format!(
        "UPDATE identity.account_role SET role_id = '{}' WHERE account_id = '{}'",
        crate::identity::world::id("a member"),
        crate::identity::world::id("ann in a"),
    );
    site.world.test.as_superuser(&viewer).await.unwrap();
    let again = ask().await.is(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert!(
        !again.body.contains("secret") && !again.body.contains("s3cr3t"),
        "{}",
        again.body
    );
    let gone = "UPDATE identity.account SET deactivated_at = now() WHERE name = 'ann'";
    site.world.test.as_superuser(gone).await.unwrap();
    ask().await.is(404);
}

#[tokio::test]
async fn a_key_is_kept_for_its_time() {
    let settings = Settings::default().keys_kept(Duration::from_millis(100));
    let site = Site::with(settings, |notes| notes).await;
    let first = create(&site, "bob", LIST, "one", "new").await.is(201);
    tokio::time::sleep(Duration::from_millis(150)).await;
    // As if it had never been: the title is taken now.
    create(&site, "bob", LIST, "one", "new").await.is(409);
    let other = create(&site, "bob", LIST, "one", "other").await.is(201);
    assert_ne!(other.json()["id"], first.json()["id"]);
    create(&site, "eve", "/tenants/b/notes", "one", "new")
        .await
        .is(201);
    assert_eq!(site.count("web.idempotency_key").await, 2);
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(idempotency::purge(site.world.test.db()).await.unwrap(), 2);
    assert_eq!(site.count("web.idempotency_key").await, 0);
}

#[tokio::test]
async fn a_resource_can_demand_one() {
    let site = Site::with(Settings::default().demanding_idempotency_key(), |notes| {
        notes
    })
    .await;
    site.send("bob", "POST", LIST, &json!({"title": "new"}))
        .await
        .is(400);
    create(&site, "bob", LIST, "one", "new").await.is(201);
}
