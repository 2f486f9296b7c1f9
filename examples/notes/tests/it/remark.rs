//! A note's remark is for whoever may change the note: I55.

use serde_json::{Value, json};

use crate::world::World;

const NOTES: &str = "/api/tenants/globex/notes";

/// The note of the sample data that has a remark, and the remark.
fn remarked(world: &World, slug: &str) -> (String, String) {
    let both = world.one(&format!(
        "SELECT n.id, n.remark FROM note n JOIN identity.tenant t ON t.id = n.tenant_id \
         WHERE t.slug = '{slug}' AND n.remark IS NOT NULL"
    ));
    let (note, remark) = both.split_once('|').unwrap();
    (note.to_owned(), remark.to_owned())
}

#[test]
fn i55_a_hidden_field_is_absent() {
    let world = World::shared();
    let (ann, eve) = (world.user("ann"), world.user("eve"));
    let (note, remark) = remarked(world, "globex");
    for path in [
        NOTES.to_owned(),
        format!("{NOTES}/{note}"),
        "/t/globex".to_owned(),
        format!("/t/globex/notes/{note}"),
    ] {
        let seen = ann.get(&path).is(200).body;
        assert!(
            !seen.contains(&remark) && !seen.contains("remark"),
            "{seen}"
        );
    }
    // The control: eve owns the tenant.
    assert_eq!(eve.get(&format!("{NOTES}/{note}")).json()["remark"], remark);
    assert!(eve.get(NOTES).body.contains(&remark));
    let page = format!("/t/globex/notes/{note}");
    assert!(eve.get(&page).body.contains(&remark));
    assert!(eve.get(&format!("{page}/edit")).body.contains(&remark));
}

#[test]
fn i55_a_hidden_field_is_refused_on_write() {
    let world = World::start(false);
    let eve = world.user("eve");
    // A program that writes notes and does not change them.
    let key = json!({ "name": "i55", "permissions": ["note.read", "note.create"] });
    let key = eve.post("/api/tenants/globex/api-keys", &key).is(201);
    assert_eq!(key.header("cache-control"), Some("no-store"));
    let bearer = format!("Bearer {}", key.json()["key"].as_str().unwrap());
    let program = world.anonymous().with("authorization", &bearer);
    let new = |remark: Value| json!({ "title": "i55", "remark": remark });
    let count = "SELECT count(*) FROM note WHERE title = 'i55'";
    for remark in [json!("x"), json!("")] {
        assert_eq!(
            program.post(NOTES, &new(remark)).is(403).code(),
            "forbidden"
        );
    }
    assert_eq!(world.one(count), "0");
    let plain = program.post(NOTES, &json!({ "title": "i55" })).is(201);
    assert_eq!(plain.json().get("remark"), None);
    assert_eq!(world.one(count), "1");
    // The control: whoever sees it writes it.
    let note = eve.post(NOTES, &new(json!(" x "))).is(201).json();
    assert_eq!(note["remark"], "x");
    let path = format!("{NOTES}/{}", note["id"].as_str().unwrap());
    eve.patch(&path, &json!({ "remark": "x".repeat(1_001) }))
        .is(422);
    let kept = eve.patch(&path, &json!({ "title": "other" })).is(200);
    assert_eq!(kept.json()["remark"], "x");
    let gone = eve.patch(&path, &json!({ "remark": null })).is(200);
    assert_eq!(gone.json()["remark"], Value::Null);
}

#[test]
fn i55_a_form_neither_shows_nor_takes_it() {
    let world = World::start(false);
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let fields = [("title", "i55"), ("body", ""), ("remark", "x")];
    let count = "SELECT count(*) FROM note WHERE title = 'i55' AND remark = 'x'";
    assert!(
        bob.get("/t/acme/new")
            .is(200)
            .body
            .contains("name=\"remark\"")
    );
    bob.form("/t/acme/notes", &fields).is(303);
    assert_eq!(world.one(count), "1");
    let role = json!({ "name": "writer", "permissions": ["note.read", "note.create"] });
    ann.post("/api/tenants/acme/roles", &role).is(201);
    let member = format!("/api/tenants/acme/members/{}", world.account("bob", "acme"));
    ann.patch(&member, &json!({ "roles": ["writer"] })).is(200);
    assert!(!bob.get("/t/acme/new").is(200).body.contains("remark"));
    bob.form("/t/acme/notes", &fields).is(403);
    assert_eq!(world.one(count), "1");
    bob.form("/t/acme/notes", &[("title", "i55"), ("body", "")])
        .is(303);
}
