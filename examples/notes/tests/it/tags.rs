//! Labels are a tenant's own: what another tenant calls its notes is neither in the way nor touched.

use serde_json::json;

use crate::world::World;

#[test]
fn i38_i39_a_label_that_is_taken_in_b_is_free_in_a_and_left_alone() {
    let world = World::start(false);
    let (bob, eve) = (world.user("bob"), world.user("eve"));
    let write = |browser: &crate::browser::Browser, slug: &str, label: &str| {
        let note = json!({ "title": format!("{slug} on {label}"), "tags": [label] });
        browser.post(&format!("/api/tenants/{slug}/notes"), &note)
    };
    // Each with the transaction that wrote it last.
    let rows = |slug: &str| {
        let tenant = world.tenant(slug);
        world.sql(&format!(
            "SELECT xmin, id, label FROM tag WHERE tenant_id = '{tenant}' ORDER BY label"
        ))
    };
    write(&eve, "globex", "ours").is(201);
    let theirs = rows("globex");
    let taken = write(&bob, "acme", "ours").is(201).json();
    let free = write(&bob, "acme", "nobodys").is(201).json();
    assert_eq!(
        (&taken["tags"], &free["tags"]),
        (&json!(["ours"]), &json!(["nobodys"]))
    );
    assert_eq!(rows("globex"), theirs);
    let mine = rows("acme");
    assert!(mine.iter().any(|row| row.ends_with("|ours")), "{mine:?}");
    assert!(mine.iter().all(|row| !theirs.contains(row)), "{mine:?}");
    // The control: one's own label is found again, and not made twice.
    write(&bob, "acme", "ours").is(201);
    assert_eq!(rows("acme"), mine);
    let listed = |browser: &crate::browser::Browser, slug: &str| {
        let list = browser.get(&format!("/api/tenants/{slug}/notes?tag=ours"));
        list.is(200).each("title")
    };
    assert_eq!(listed(&bob, "acme"), ["acme on ours"; 2]);
    assert_eq!(listed(&eve, "globex"), ["globex on ours"]);
}
