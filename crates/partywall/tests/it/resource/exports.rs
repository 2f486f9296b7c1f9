//! A list as a whole.

use std::time::Duration;

use futures_util::StreamExt as _;
use partywall::{Sql as _, web::resource::Settings};
use serde_json::Value;

use super::site::Site;
use crate::identity::world::id;

#[tokio::test]
async fn i31_an_export_has_the_tenants_rows_only() {
    let site = Site::new().await;
    let csv = site
        .get(
            "ann",
            "/tenants/a/notes?format=csv&fields=title,folder,stars&sort=-title",
        )
        .await
        .is(200);
    assert_eq!(
        csv.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"note.csv\""
    );
    let lines: Vec<&str> = csv.body.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "title,folder,stars");
    assert_eq!(lines[1..3], ["note 6,,2", "note 5,,1"]);
    assert!(lines.contains(&"note 1,folder of a,1") && lines.len() == 8);
    let path = "/tenants/a/notes?stars__gte=2";
    let jsonl = site
        .ask(
            "ann",
            "GET",
            path,
            &[("accept", "application/x-ndjson")],
            "",
        )
        .await
        .is(200);
    assert_eq!(jsonl.header("content-type"), "application/x-ndjson");
    let rows: Vec<Value> = jsonl
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let titles: Vec<&str> = rows
        .iter()
        .map(|row| row["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, ["note 2", "note 3", "note 6"]);
    assert!(!csv.body.contains("of b") && !jsonl.body.contains("of b"));
    // A member does not see the private one.
    let csv = site
        .ask(
            "bob",
            "GET",
            "/tenants/a/notes",
            &[("accept", "text/csv")],
            "",
        )
        .await
        .is(200);
    assert!(
        csv.body.starts_with("id,title,body,stars,state,"),
        "{}",
        csv.body
    );
    assert_eq!(csv.body.split_terminator("\r\n").count(), 7);
    let none = site
        .get(
            "ann",
            "/tenants/a/notes?format=csv&title=nothing&fields=title",
        )
        .await
        .is(200);
    assert_eq!(none.body, "title\r\n");
    let head = site
        .ask("ann", "HEAD", "/tenants/a/notes?format=csv", &[], "")
        .await
        .is(200);
    assert_eq!(
        (head.body.as_str(), head.header("content-disposition")),
        ("", csv.header("content-disposition"))
    );
    site.get("bob", "/tenants/b/notes?format=csv").await.is(404);
    site.get("nobody", "/tenants/a/notes?format=csv")
        .await
        .is(401);
}

/// So many rows that they do not come at once.
async fn filled(settings: Settings, rows: u32) -> Site {
    let site = Site::with(settings, |notes| notes).await;
    let sql = format!(
        "INSERT INTO note (id, tenant_id, title, body, stars, state, is_private, created_at) \
         SELECT gen_random_uuid(), '{}', 'row ' || n, repeat('x', 1000), 0, 'draft', false, now() \
         FROM generate_series(1, {rows}) AS n",
        id("a")
    );
    site.world.test.as_superuser(&sql).await.unwrap();
    site
}

#[tokio::test]
async fn an_export_has_all_rows_of_one_moment() {
    let site = filled(Settings::default(), 1_000).await;
    let path = "/tenants/a/notes?format=jsonl&fields=title,body";
    let answer = site.open("ann", "GET", path, &[], "").await;
    let mut body = answer.into_body().into_data_stream();
    let mut text = body.next().await.unwrap().unwrap().to_vec();
    assert!(text.len() < 300 * 1_100, "{} bytes at once", text.len());
    let db = site.world.test.as_tenant(site.world.a);
    db.execute_sql("DELETE FROM note WHERE title LIKE 'row %'", [])
        .await
        .unwrap();
    while let Some(chunk) = body.next().await {
        text.extend(chunk.unwrap());
    }
    assert_eq!(String::from_utf8(text).unwrap().lines().count(), 1_007);
    assert_eq!(site.count("note").await, 10);
}

#[tokio::test]
async fn i49_an_export_ends_with_the_right_to_it() {
    let site = filled(Settings::default(), 2_000).await;
    let read = async |change: Option<&str>| {
        let path = "/tenants/a/notes?format=jsonl";
        let answer = site.open("ann", "GET", path, &[], "").await;
        assert_eq!(answer.status(), 200);
        let mut body = answer.into_body().into_data_stream();
        let mut lines = 0;
        let mut is_first = true;
        while let Some(Ok(chunk)) = body.next().await {
            lines += chunk.iter().filter(|byte| **byte == b'\n').count();
            if std::mem::take(&mut is_first) {
                if let Some(change) = change {
                    site.world.test.as_superuser(change).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
        lines
    };
    assert_eq!(read(None).await, 2_007);
    // Who sees less from now on.
    let member = format!(
        "UPDATE identity.account_role SET role_id = '{}' WHERE account_id = '{}'",
        id("a member"),
        id("ann in a"),
    );
    assert!(read(Some(&member)).await < 2_007);
    assert_eq!(read(None).await, 2_006);
    let gone = "UPDATE identity.account SET deactivated_at = now() WHERE name = 'ann'";
    assert!(read(Some(gone)).await < 2_006);
}

#[tokio::test]
async fn slow_readers_keep_some_connections_and_not_all() {
    let site = filled(Settings::default().exports(2), 1_000).await;
    let path = "/tenants/a/notes?format=csv";
    let one = site.open("ann", "GET", path, &[], "").await;
    let two = site.open("ann", "GET", path, &[], "").await;
    let busy = site.get("ann", path).await.is(503);
    assert_eq!(busy.header("retry-after"), "5");
    site.get("ann", "/tenants/a/notes").await.is(200);
    drop(one);
    site.get("ann", path).await.is(200);
    drop(two);
}
