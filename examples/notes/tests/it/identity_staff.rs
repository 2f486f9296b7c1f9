//! The support staff, from outside.

use serde_json::json;

use crate::{
    identity_invitations::{INVITATIONS, text},
    identity_keys::KEYS,
    world::{World, nothing},
};

#[test]
fn i57_staff_is_nobody_outside_and_watched_inside() {
    let world = World::start(false);
    let (sue, ann) = (world.user("sue"), world.user("ann"));
    let notes = "/api/tenants/acme/notes";
    let outside = sue.get(notes).is(404);
    assert_eq!(
        outside,
        sue.get(&format!("/api/tenants/{}/notes", nothing()))
    );
    let entries = "/api/staff/entries";
    for body in [
        json!({}),
        json!({ "tenant": "acme" }),
        json!({ "tenant": "acme", "reason": " " }),
    ] {
        sue.post(entries, &body).is(422);
    }
    let body = json!({ "tenant": "acme", "reason": "ticket 7" });
    for browser in [&ann, &world.user("eve")] {
        browser.post(entries, &body).is(404);
        browser.get(entries).is(404);
    }
    sue.post(
        entries,
        &json!({ "tenant": "nowhere", "reason": "ticket 7" }),
    )
    .is(404);
    let entry = sue.post(entries, &body).is(201).json();
    sue.get(notes).is(200);
    sue.post(notes, &json!({ "title": "i57" })).is(403);
    sue.get("/api/tenants/globex/notes").is(404);
    world.user("sue").get(notes).is(404);
    let log = ann.get("/api/tenants/acme/audit").is(200).json();
    let log: Vec<_> = log["items"].as_array().unwrap().iter().rev().collect();
    let seen: Vec<_> = log
        .iter()
        .map(|entry| (text(&entry["action"]), entry["target"].clone()))
        .collect();
    assert_eq!(seen[0].0, "staff.entered");
    assert_eq!(log[0]["detail"]["reason"], "ticket 7");
    assert_eq!(
        seen[1],
        ("staff.access".to_owned(), json!(format!("GET {notes}")))
    );
    assert_eq!(
        seen[2],
        ("staff.access".to_owned(), json!(format!("POST {notes}")))
    );
    assert!(
        log.iter()
            .all(|entry| entry["actor_name"] == "Sue" && entry["address"] == "127.0.0.1")
    );
    assert_eq!(sue.get(entries).each("reason"), ["ticket 7"]);
    sue.delete(&format!("{entries}/{}", nothing())).is(404);
    sue.delete(&format!("{entries}/{}", text(&entry["id"])))
        .is(204);
    assert_eq!(sue.get(notes).is(404), outside);
    // It ends by itself.
    sue.post(entries, &body).is(201);
    sue.get(notes).is(200);
    world.sql("UPDATE identity.staff_entry SET expires_at = now()");
    sue.get(notes).is(404);
}

#[test]
fn i58_acting_as_somebody_is_told_and_limited() {
    let world = World::start(false);
    let (mut sue, ann) = (world.user("sue"), world.user("ann"));
    let (bob, ivy) = (
        world.account("bob", "acme"),
        world.account("ivy", "initech"),
    );
    let act = "/api/staff/impersonation";
    let body = |account: &str, reason: &str| json!({ "tenant": "acme", "account": account, "reason": reason });
    sue.post(act, &body(&bob, "ticket 7")).is(404);
    ann.post(act, &body(&bob, "ticket 7")).is(404);
    sue.post(
        "/api/staff/entries",
        &json!({ "tenant": "acme", "reason": "ticket 7" }),
    )
    .is(201);
    sue.post(act, &body(&bob, "")).is(422);
    for nobody in [&ivy, &nothing(), "x"] {
        sue.post(act, &body(nobody, "ticket 7")).is(404);
    }
    let before = world.user("sue");
    let mut own = world.anonymous();
    own.cookie = sue.cookie.clone();
    let reply = sue.post(act, &body(&bob, "ticket 7")).is(201);
    sue.keep(&reply);
    assert_eq!(
        sue.get("/api/session").is(200).json()["user"]["email"],
        "bob@example.com"
    );
    // The own session is no longer good; another one of hers is.
    own.get("/api/session").is(401);
    before.get("/api/session").is(200);
    // No further.
    assert_eq!(
        sue.post(act, &body(&bob, "ticket 8")).is(403).code(),
        "impersonating"
    );
    sue.post(
        "/api/staff/entries",
        &json!({ "tenant": "globex", "reason": "x" }),
    )
    .is(403);
    sue.get("/api/tenants/globex/notes").is(404);
    let note = sue
        .post("/api/tenants/acme/notes", &json!({ "title": "i58" }))
        .is(201);
    assert_eq!(note.json()["author"], "Bob");
    world.give_role("bob", "acme", "admin");
    let key = json!({ "name": "key", "permissions": ["note.read"] });
    assert_eq!(sue.post(KEYS, &key).is(403).code(), "impersonating");
    let invitation = json!({ "email": "sue@example.com", "role": "viewer" });
    assert_eq!(
        sue.post(INVITATIONS, &invitation).is(403).code(),
        "impersonating"
    );
    // The control.
    world.user("bob").post(KEYS, &key).is(201);
    let (_, told) = world.mail("bob@example.com").pop().unwrap();
    assert!(told.contains("Sue") && told.contains("ticket 7"), "{told}");
    let mut acting = world.anonymous();
    acting.cookie = sue.cookie.clone();
    let reply = sue.delete(act).is(204);
    sue.keep(&reply);
    acting.get("/api/session").is(401);
    assert_eq!(
        sue.get("/api/session").is(200).json()["user"]["email"],
        "sue@example.com"
    );
    sue.get("/api/tenants/acme/notes").is(200);
    sue.delete(act).is(404);
    let log = ann.get("/api/tenants/acme/audit?limit=200").json();
    let log = log["items"].as_array().unwrap();
    let both = |action: &str| {
        let entry = log.iter().find(|entry| entry["action"] == action).unwrap();
        (text(&entry["actor"]), text(&entry["subject"]))
    };
    let pair = (world.person("sue"), world.person("bob"));
    assert_eq!(both("impersonation.started"), pair);
    assert_eq!(both("impersonation.stopped"), pair);
    let access = log
        .iter()
        .find(|entry| entry["action"] == "staff.access" && entry["subject"].is_string());
    assert_eq!(text(&access.unwrap()["actor"]), pair.0);

    // It ends by itself.
    let reply = sue.post(act, &body(&bob, "ticket 9")).is(201);
    sue.keep(&reply);
    sue.get("/api/session").is(200);
    world.pass("61 minutes");
    sue.get("/api/session").is(401);
}
