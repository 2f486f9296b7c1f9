//! What a list may be asked, and of whose rows.

use crate::identity::world::id;

use super::site::Site;

async fn titles(site: &Site, who: &str, query: &str) -> Vec<String> {
    let path = format!("/tenants/a/notes?limit=10&{query}");
    site.get(who, &path).await.is(200).titles()
}

fn notes(numbers: &[u8]) -> Vec<String> {
    numbers.iter().map(|n| format!("note {n}")).collect()
}

#[tokio::test]
async fn i31_filter_search_sort_and_count_show_the_tenants_rows_only() {
    let site = Site::new().await;
    assert_eq!(
        titles(&site, "ann", "").await,
        notes(&[0, 1, 2, 3, 4, 5, 6])
    );
    // Each of these is in both tenants.
    for (query, numbers) in [
        ("title=note%201", &[1][..]),
        ("title__ne=note%201", &[0, 2, 3, 4, 5, 6]),
        ("title__contains=OTE%202", &[2]),
        ("title__starts_with=note%200", &[0]),
        ("body__is_null=true", &[0, 3, 6]),
        ("body__is_null=false", &[1, 2, 4, 5]),
        ("body__ne=body%201%20of%20a", &[0, 2, 3, 4, 6]),
        ("stars__gte=2&stars__lt=3", &[2, 6]),
        ("stars=1", &[1, 5]),
        ("price__gte=3.5", &[3, 5]),
        ("state=published", &[1, 3, 5]),
        ("state__in=draft,published&stars=0", &[0, 4]),
        ("created_at__gt=2026-01-02", &[1, 2, 4, 5]),
        ("created_at__lte=2026-01-01T12:00:00.123456Z", &[0, 3, 6]),
        ("search=body%20NOTE", &[1, 2, 4, 5]),
        ("search=%25", &[]),
        ("search=_ote", &[]),
        ("sort=-stars,title", &[3, 2, 6, 1, 5, 0, 4]),
        ("sort=-state,-title", &[5, 3, 1, 6, 4, 2, 0]),
    ] {
        assert_eq!(titles(&site, "ann", query).await, notes(numbers), "{query}");
    }
    let page = site
        .get("ann", "/tenants/a/notes?count=true&limit=2")
        .await
        .is(200);
    assert_eq!(page.json()["count"], 7);
    let page = site.get("eve", "/tenants/b/notes?count=true").await.is(200);
    assert_eq!(page.json()["count"], 3);
    assert_eq!(page.titles(), notes(&[0, 1, 2]));
    // What the policy does not show is not counted either.
    let page = site.get("bob", "/tenants/a/notes?count=true").await.is(200);
    assert_eq!(page.json()["count"], 6);
    assert!(
        !titles(&site, "bob", "")
            .await
            .contains(&"note 6".to_owned())
    );
}

#[tokio::test]
async fn i32_a_foreign_id_in_a_filter_answers_as_a_random_one() {
    let site = Site::new().await;
    let ask = async |id: uuid::Uuid| {
        let answer = site
            .get("ann", &format!("/tenants/a/notes?folder={id}"))
            .await
            .is(200);
        (answer.body, answer.headers.get("etag").cloned())
    };
    let (foreign, random) = (ask(id("folder of b")).await, ask(id("nothing")).await);
    assert_eq!(foreign, random);
    assert_eq!(foreign.0, r#"{"items":[],"next":null,"prev":null}"#);
    assert!(ask(id("folder of a")).await.0.contains("note 1"));
    let own = id("note 0 of a");
    let mixed = format!("id__in={own},{}", id("note 0 of b"));
    assert_eq!(titles(&site, "ann", &mixed).await, notes(&[0]));
}

#[tokio::test]
async fn i33_what_is_not_declared_is_400_and_says_what_is() {
    let site = Site::new().await;
    let refused = async |query: &str| {
        let path = format!("/tenants/a/notes?{query}");
        let answer = site.get("ann", &path).await.is(400);
        assert_eq!(answer.json()["code"], "invalid_query", "{query}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        answer
    };
    for query in [
        "author=ann",
        "title__gte=a",
        "title__eq=note",
        "title__like=a",
        "sort=tenant_id",
        "sort=id",
        "sort=",
        "sort=title,",
        "sort=title,-title",
        "sort=--title",
        "stars=x",
        "stars=2147483648",
        "stars__gte=1.5",
        "state=gone",
        "state__in=draft,gone",
        "folder=1",
        "folder=0198C0DE-0000-7000-8000-00000000000A",
        "created_at__gt=yesterday",
        "body__is_null=yes",
        "title=a&title=b",
        "limit=0",
        "limit=11",
        "limit=x",
        "count=1",
        "fields=title,tenant_id",
        "fields=",
        "format=xml",
        "format=csv&limit=3",
        "title=%00",
        "search=a%00",
        "x",
        "%ff=1",
    ] {
        refused(query).await;
    }
    let long = "x".repeat(1_001);
    refused(&format!("title={long}")).await;
    refused(&format!("search={}", "x".repeat(201))).await;
    refused(&format!(
        "id__in={}",
        vec![id("x").to_string(); 101].join(",")
    ))
    .await;
    let sort = refused("sort=author").await;
    let told = sort.json()["errors"][0]["detail"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        told.contains("`created_at`") && told.contains("`title`"),
        "{told}"
    );
    // Whoever may not read is not told any of this.
    site.get("bob", "/tenants/b/notes?author=ann").await.is(404);
    site.get("nobody", "/tenants/a/notes?author=ann")
        .await
        .is(401);
}

#[tokio::test]
async fn i30_a_list_under_a_foreign_parent_is_404() {
    let site = Site::new().await;
    let under = |note: &str| format!("/tenants/a/notes/{}/replies", id(note));
    let text = serde_json::json!({"text": "one"});
    let made = site
        .send("bob", "POST", &under("note 0 of a"), &text)
        .await
        .is(201);
    assert_eq!(made.json()["note"], "note 0");
    let location = made.header("location").to_owned();
    site.get("bob", &location).await.is(200);
    let list = site.get("bob", &under("note 0 of a")).await.is(200);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    // A sibling's list does not show it, nor does an address below the sibling.
    let other = site.get("bob", &under("note 1 of a")).await.is(200);
    assert_eq!(other.json()["items"].as_array().unwrap().len(), 0);
    let reply = location.rsplit('/').next().unwrap();
    let missing = site
        .get("bob", &format!("{}/{}", under("note 0 of a"), id("x")))
        .await
        .is(404);
    for path in [
        format!("{}/{reply}", under("note 1 of a")),
        under("note 0 of b"),
        under("nothing"),
        format!("{}/{reply}", under("note 0 of b")),
    ] {
        assert_eq!(site.get("bob", &path).await, missing, "{path}");
    }
    for note in ["note 0 of b", "nothing"] {
        let answer = site.send("bob", "POST", &under(note), &text).await;
        assert_eq!(answer, missing);
    }
    assert_eq!(site.count("reply").await, 1);
    // In bulk, a row under a sibling is none.
    let bulk = |note: &str| format!("{}/bulk?ids={reply}", under(note));
    let answer = site
        .ask("bob", "DELETE", &bulk("note 1 of a"), &[], "")
        .await;
    assert_eq!(answer, missing);
    site.ask("bob", "DELETE", &bulk("note 0 of a"), &[], "")
        .await
        .is(204);
    assert_eq!(site.count("reply").await, 0);
}
