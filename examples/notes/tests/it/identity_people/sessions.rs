use std::{thread, time::Duration};

use serde_json::json;

use super::PASSWORD;
use crate::{
    browser::Browser,
    world::{World, nothing},
};

#[test]
fn i5_a_planted_cookie_is_dead_after_signing_in() {
    let world = World::shared();
    let mut bob = world.anonymous();
    let planted = format!("__Host-session={}", "5".repeat(64));
    bob.cookie = Some(planted.clone());
    bob.sign_in("bob@example.com", &world.password);
    assert_ne!(bob.cookie.as_ref(), Some(&planted));
    bob.get("/api/session").is(200);
    bob.cookie = Some(planted);
    bob.get("/api/session").is(401);
}

#[test]
fn i6_signing_in_over_a_session_ends_it() {
    let world = World::shared();
    // Hers, and then somebody else's on the same computer.
    for name in ["ann", "bob"] {
        let mut browser = world.user("ann");
        let before = browser.cookie.clone();
        let wrong = json!({ "email": "ann@example.com", "password": "a wrong password" });
        browser.post("/api/session", &wrong).is(401);
        browser.get("/api/session").is(200);
        browser.sign_in(&format!("{name}@example.com"), &world.password);
        assert_ne!(browser.cookie, before);
        let session = browser.get("/api/session").is(200).json();
        assert_eq!(session["user"]["email"], format!("{name}@example.com"));
        browser.cookie = before;
        browser.get("/api/session").is(401);
    }
}

#[test]
fn i7_a_replayed_cookie_is_dead_after_signing_out() {
    let world = World::shared();
    let (bob, other) = (world.user("bob"), world.user("bob"));
    bob.get("/api/tenants/acme/notes").is(200);
    let out = bob.delete("/api/session").is(204);
    assert!(out.set_cookie.unwrap().contains("Max-Age=0"));
    for path in [
        "/api/session",
        "/api/tenants/acme/notes",
        "/api/sessions",
        "/api/accounts",
    ] {
        bob.get(path).is(401);
        other.get(path).is(200);
    }
    let body = json!({ "title": "late", "body": "" });
    bob.post("/api/tenants/acme/notes", &body).is(401);
}

/// Requests of the session are under way while it ends: none brings it back.
#[test]
fn i8_no_late_request_brings_a_session_back() {
    let world = World::start(false);
    let mut ended_before = 0;
    for round in 0..200_u64 {
        let ann = world.user("ann");
        // Each request will write down that the session was used.
        world.sql("UPDATE identity.session SET seen_at = now() - interval '10 minutes'");
        let account = json!({ "account": world.account("ann", "acme") });
        thread::scope(|scope| {
            let late = [0, 1, 2, 3].map(|n| {
                let (ann, account) = (&ann, &account);
                scope.spawn(move || match n {
                    0 => ann.post("/api/session/account", account).status,
                    1 => ann.get("/api/tenants/acme/notes").status,
                    2 => ann.get("/t/acme").status,
                    _ => ann.get("/api/session").status,
                })
            });
            thread::sleep(Duration::from_micros(round % 20 * 200));
            ann.delete("/api/session").is(204);
            for status in late.map(|late| late.join().unwrap()) {
                assert!(matches!(status, 200 | 303 | 401), "{status}");
                ended_before += u32::from(status != 200);
            }
        });
        ann.get("/api/session").is(401);
    }
    assert!(
        ended_before > 0 && ended_before < 800,
        "they never met: {ended_before}"
    );
    assert_eq!(world.one("SELECT count(*) FROM identity.session"), "0");
}

#[test]
fn i9_a_session_that_rests_ends_and_reading_keeps_it() {
    let world = World::start(false);
    let (reads, rests) = (world.user("bob"), world.user("bob"));
    for _ in 0..3 {
        world.pass("20 minutes");
        reads.get("/api/tenants/acme/notes").is(200);
    }
    rests.get("/api/tenants/acme/notes").is(401);
    world.pass("31 minutes");
    reads.get("/api/tenants/acme/notes").is(401);
}

#[test]
fn i10_a_session_ends_in_spite_of_traffic() {
    let world = World::tuned(|settings| settings.absolute = Duration::from_secs(60 * 60));
    let bob = world.user("bob");
    for _ in 0..2 {
        world.pass("25 minutes");
        bob.get("/api/session").is(200);
    }
    world.pass("11 minutes");
    bob.get("/api/session").is(401);
    world.user("bob").get("/api/session").is(200);
}

#[test]
fn i11_sessions_are_listed_and_revoked() {
    let world = World::start(false);
    let mut here = world.anonymous().with("user-agent", "Firefox/128");
    here.sign_in("bob@example.com", &world.password);
    let (there, ann) = (world.user("bob"), world.user("ann"));
    let list = |browser: &Browser| browser.get("/api/sessions").is(200);
    let all = list(&here).json()["items"].as_array().unwrap().clone();
    assert_eq!(all.len(), 2);
    let mine = all
        .iter()
        .find(|session| session["is_current"] == true)
        .unwrap();
    assert_eq!(mine["agent"], "Firefox/128");
    assert_eq!(mine["address"], "127.0.0.1");
    assert!(!list(&here).body.contains(here.token()));
    let other = all
        .iter()
        .find(|session| session["is_current"] == false)
        .unwrap();
    let path = |id: &str| format!("/api/sessions/{id}");
    let missing = here.delete(&path(&nothing())).is(404);
    for foreign in &list(&ann).each("id") {
        assert_eq!(here.delete(&path(foreign)), missing);
    }
    let other = other["id"].as_str().unwrap();
    for malformed in ["x".to_owned(), other.to_uppercase(), other.replace('-', "")] {
        assert_eq!(here.delete(&path(&malformed)), missing);
    }
    ann.get("/api/session").is(200);
    there.get("/api/session").is(200);
    here.delete(&path(other)).is(204);
    there.get("/api/session").is(401);
    assert_eq!(here.delete(&path(other)), missing);
    let own = list(&here).each("id");
    let out = here.delete(&path(&own[0])).is(204);
    assert!(out.set_cookie.unwrap().contains("Max-Age=0"));
    here.get("/api/session").is(401);
    world.anonymous().get("/api/sessions").is(401);
}

#[test]
fn i13_a_deactivated_person_is_nobody_at_once() {
    let world = World::start(false);
    let (bob, there, ann) = (world.user("bob"), world.user("bob"), world.user("ann"));
    let with = |password: &str| json!({ "password": password });
    let wrong = bob
        .post("/api/users/deactivate", &with("a wrong password"))
        .is(401);
    assert_eq!(wrong.code(), "wrong_credentials");
    let last = ann
        .post("/api/users/deactivate", &with(&world.password))
        .is(409);
    assert_eq!(last.code(), "last_owner");
    for browser in [&bob, &there, &ann] {
        browser.get("/api/tenants/acme/notes").is(200);
    }
    bob.post("/api/users/deactivate", &with(&world.password))
        .is(204);
    for path in ["/api/session", "/api/tenants/acme/notes", "/api/accounts"] {
        bob.get(path).is(401);
        there.get(path).is(401);
        ann.get(path).is(200);
    }
    let body = json!({ "title": "late", "body": "" });
    there.post("/api/tenants/acme/notes", &body).is(401);
    let again = world.sign_in("bob@example.com", &world.password).is(401);
    assert_eq!(again, world.sign_in("nobody@example.com", PASSWORD).is(401));
}
