//! Pages: every row once, in every order, and cursors that are good for one list.

use std::fmt::Write as _;

use serde_json::Value;

use super::site::Site;
use crate::identity::world::id;

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The ids of all rows in an order, by the export, which has no pages.
async fn whole(site: &Site, sort: &str) -> Vec<String> {
    let path = format!("/tenants/a/notes?format=jsonl&fields=id&sort={sort}");
    let lines = site.get("ann", &path).await.is(200).body;
    let id = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    lines.lines().map(id).collect()
}

#[tokio::test]
async fn every_row_shows_once_forwards_and_backwards() {
    let site = Site::new().await;
    let mut sql = String::new();
    for n in 10..45 {
        let body = if n % 3 == 0 {
            "NULL".to_owned()
        } else {
            format!("'{}'", n % 4)
        };
        let price = if n % 5 == 0 {
            "NULL".to_owned()
        } else {
            format!("{}", n % 3)
        };
        write!(
            sql,
            "INSERT INTO note (id, tenant_id, title, body, stars, price, state, is_private, created_at) \
             VALUES ('{}', '{}', 'note {n}', {body}, {}, {price}, 'draft', false, '2026-02-01T00:00:00Z');",
            id(&format!("more {n}")),
            id("a"),
            n % 3,
        )
        .unwrap();
    }
    site.world.test.as_superuser(&sql).await.unwrap();
    for sort in [
        "title",
        "-title",
        "body",
        "-body",
        "stars",
        "-stars,created_at",
        "price,-body",
        "-price,body,-stars",
        "state,-price",
        "-state,-stars",
        "created_at",
        "-created_at,stars,-price,body",
    ] {
        let expected = whole(&site, sort).await;
        assert_eq!(expected.len(), 42);
        for limit in [1, 4, 10] {
            let path = format!("/tenants/a/notes?sort={sort}&limit={limit}");
            let mut page = site.get("ann", &path).await.is(200).json();
            assert_eq!(page["prev"], Value::Null);
            let mut found = ids(&page);
            let mut pages = vec![ids(&page)];
            while let Some(cursor) = page["next"].as_str() {
                page = site
                    .get("ann", &format!("{path}&cursor={cursor}"))
                    .await
                    .is(200)
                    .json();
                found.extend(ids(&page));
                pages.push(ids(&page));
                assert!(found.len() <= 42, "{sort} {limit}");
            }
            assert_eq!(found, expected, "{sort} {limit}");
            // And back.
            pages.pop();
            while let Some(cursor) = page["prev"].as_str() {
                page = site
                    .get("ann", &format!("{path}&cursor={cursor}"))
                    .await
                    .is(200)
                    .json();
                if let Some(before) = pages.pop() {
                    assert_eq!(ids(&page), before, "{sort} {limit}");
                }
            }
            assert!(pages.is_empty(), "{sort} {limit}");
        }
    }
}

#[tokio::test]
async fn i33_a_cursor_is_good_for_its_tenant_and_query_alone() {
    let site = Site::new().await;
    let list = "/tenants/a/notes?sort=-stars&limit=1&state=draft";
    let page = site.get("ann", list).await.is(200).json();
    let cursor = page["next"].as_str().unwrap();
    site.get("ann", &format!("{list}&cursor={cursor}"))
        .await
        .is(200);
    // The size of a page, its fields and who in the tenant asks do not matter, nor the parameters' order.
    let same =
        format!("/tenants/a/notes?state=draft&cursor={cursor}&sort=-stars&limit=2&fields=title");
    site.get("bob", &same).await.is(200);
    let refused = site.get("ann", &format!("{list}&cursor=x")).await.is(400);
    assert_eq!(refused.json()["code"], "bad_cursor");
    let mut altered = cursor.to_owned();
    let last = altered.pop().unwrap();
    altered.push(if last == 'A' { 'E' } else { 'A' });
    // The first of these is another tenant's: ann views B as well.
    for (who, path) in [
        (
            "ann",
            format!("/tenants/b/notes?sort=-stars&limit=1&state=draft&cursor={cursor}"),
        ),
        (
            "eve",
            format!("/tenants/b/notes?sort=-stars&limit=1&state=draft&cursor={cursor}"),
        ),
        (
            "ann",
            format!("/tenants/a/notes?sort=stars&state=draft&cursor={cursor}"),
        ),
        (
            "ann",
            format!("/tenants/a/notes?sort=-stars&cursor={cursor}"),
        ),
        (
            "ann",
            format!("/tenants/a/notes?sort=-stars&state=published&cursor={cursor}"),
        ),
        (
            "ann",
            format!("/tenants/a/notes?sort=-stars&state=draft&search=note&cursor={cursor}"),
        ),
        ("ann", format!("/tenants/a/folders?cursor={cursor}")),
        (
            "ann",
            format!(
                "/tenants/a/notes/{}/replies?cursor={cursor}",
                id("note 0 of a")
            ),
        ),
        ("ann", format!("{list}&cursor={altered}")),
        (
            "ann",
            format!("{list}&cursor={}", &cursor[..cursor.len() - 4]),
        ),
        ("ann", format!("{list}&cursor=")),
    ] {
        let answer = site.get(who, &path).await;
        assert_eq!(answer.body, refused.body, "{path}");
        assert_eq!(answer.status, refused.status, "{path}");
    }
    // A cursor of one note's replies is none of another's.
    for n in 0..3 {
        let text = serde_json::json!({"text": format!("reply {n}")});
        let path = format!("/tenants/a/notes/{}/replies", id("note 0 of a"));
        site.send("ann", "POST", &path, &text).await.is(201);
    }
    let of = |note: &str| format!("/tenants/a/notes/{}/replies?sort=text", id(note));
    let page = site.get("ann", &of("note 0 of a")).await.is(200).json();
    let cursor = page["next"].as_str().unwrap();
    let path = format!("{}&cursor={cursor}", of("note 0 of a"));
    assert_eq!(
        site.get("ann", &path).await.is(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    site.get("ann", &format!("{}&cursor={cursor}", of("note 1 of a")))
        .await
        .is(400);
}

#[tokio::test]
async fn links_lead_to_the_same_list() {
    let site = Site::new().await;
    let page = site
        .get("ann", "/tenants/a/notes?limit=2&title__contains=e%20")
        .await
        .is(200);
    let link = page.header("link").to_owned();
    let (target, rest) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
    assert_eq!(rest, "; rel=\"next\"");
    assert!(target.starts_with("?limit=2&title__contains=e"), "{link}");
    let next = site
        .get("ann", &format!("/tenants/a/notes{target}"))
        .await
        .is(200);
    assert_eq!(next.titles(), ["note 2", "note 3"]);
    assert!(
        next.header("link").contains("rel=\"next\"")
            && next.header("link").contains("rel=\"prev\"")
    );
    let last = site.get("ann", "/tenants/a/notes?limit=10").await.is(200);
    assert_eq!(last.header("link"), "");
}
