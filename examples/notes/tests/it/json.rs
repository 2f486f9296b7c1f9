//! The JSON interface: its shapes, its refusals, search, paging, tags.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::World;

#[test]
fn signing_in_and_out() {
    let world = World::shared();
    let mut ann = world.anonymous();
    ann.get("/api/tenants").is(401);
    let reply = ann.post(
        "/api/session",
        &json!({ "email": "Ann@Example.com ", "password": world.password }),
    );
    let cookie = reply.is(200).set_cookie.unwrap();
    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    ann.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    let tenants = ann.get("/api/tenants").is(200);
    assert_eq!(tenants.each("slug"), ["acme", "globex"]);
    assert_eq!(tenants.json()["next"], Value::Null);
    let gone = ann.delete("/api/session").is(204);
    assert!(gone.set_cookie.unwrap().contains("Max-Age=0"));
    ann.get("/api/tenants").is(401);
    ann.delete("/api/session").is(401);
}

#[test]
fn an_unknown_address_looks_like_a_wrong_password() {
    let world = World::shared();
    let browser = world.anonymous();
    let attempt = |email: &str, password: &str| {
        let started = Instant::now();
        let reply = browser.post(
            "/api/session",
            &json!({ "email": email, "password": password }),
        );
        (reply.is(401), started.elapsed())
    };
    for email in [
        "nobody@example.com",
        "",
        "x\0y",
        "' OR 1=1 --",
        &"x".repeat(10_000),
    ] {
        // In turns, and the least of each: a busy machine only adds.
        let (mut took_wrong, mut took) = (Duration::MAX, Duration::MAX);
        for _ in 0..5 {
            let (wrong, one) = attempt("ann@example.com", "wrong");
            let (unknown, other) = attempt(email, &world.password);
            assert_eq!(unknown, wrong);
            (took_wrong, took) = (took_wrong.min(one), took.min(other));
        }
        assert!(
            took * 4 > took_wrong && took < took_wrong * 4,
            "{took:?} and {took_wrong:?}"
        );
    }
    for cookie in [
        "__Host-session=",
        "__Host-session=abc",
        &format!("__Host-session={}", "0".repeat(64)),
    ] {
        let mut forged = world.anonymous();
        forged.cookie = Some(cookie.to_owned());
        forged.get("/api/tenants").is(401);
    }
}

#[test]
fn a_session_ends_when_its_time_is_over() {
    let world = World::tuned(|settings| {
        settings.idle = Duration::from_secs(60 * 60);
        settings.absolute = Duration::from_secs(3 * 60 * 60);
    });
    let (bob, other) = (world.user("bob"), world.user("bob"));
    for _ in 0..3 {
        world.pass("50 minutes");
        bob.get("/api/tenants").is(200);
    }
    other.get("/api/tenants").is(401);
    world.pass("31 minutes");
    bob.get("/api/tenants").is(401);
}

#[test]
fn a_note_from_beginning_to_end() {
    let world = World::start(false);
    let bob = world.user("bob");
    let notes = "/api/tenants/acme/notes";
    let new =
        json!({ "title": " Plan ", "body": "one\r\ntwo <b>", "tags": ["Red", "blue", "red"] });
    let note = bob.post(notes, &new).is(201).json();
    assert_eq!(note["title"], "Plan");
    assert_eq!(note["body"], "one\ntwo <b>");
    assert_eq!(note["tags"], json!(["blue", "red"]));
    assert_eq!(note["author"], "Bob");
    let path = format!("{notes}/{}", note["id"].as_str().unwrap());
    assert_eq!(bob.get(&path).is(200).json(), note);
    let changed = bob
        .patch(&path, &json!({ "title": "Plan B", "tags": ["green"] }))
        .is(200)
        .json();
    assert_eq!(
        (&changed["title"], &changed["body"]),
        (&json!("Plan B"), &note["body"])
    );
    assert_eq!(changed["tags"], json!(["green"]));
    let untagged = bob.patch(&path, &json!({ "tags": [] })).is(200).json();
    assert_eq!(untagged["tags"], json!([]));
    let comments = format!("{path}/comments");
    assert_eq!(
        bob.get(&comments).is(200).json(),
        json!({ "items": [], "next": null, "prev": null })
    );
    let comment = bob
        .post(&comments, &json!({ "body": "yes" }))
        .is(201)
        .json();
    assert_eq!(bob.get(&comments).json()["items"], json!([comment]));
    bob.delete(&path).is(204);
    bob.delete(&path).is(404);
    bob.get(&path).is(404);
    bob.get(&comments).is(404);
    assert_eq!(
        world.one("SELECT count(*) FROM comment WHERE body = 'yes'"),
        "0"
    );
}

#[test]
fn what_does_not_fit_is_told() {
    let world = World::shared();
    let bob = world.user("bob");
    let notes = "/api/tenants/acme/notes";
    let before = world.one("SELECT count(*) FROM note");
    for body in [
        json!({}),
        json!({ "title": "" }),
        json!({ "title": "   " }),
        json!({ "title": 7 }),
        json!({ "title": "x".repeat(201) }),
        json!({ "title": "x", "body": "y".repeat(100_001) }),
        json!({ "title": "x\0" }),
        json!({ "title": "x", "tags": ["a,b"] }),
        json!({ "title": "x", "tags": [""] }),
        json!({ "title": "x", "tags": ["x".repeat(31)] }),
        json!({ "title": "x", "tags": (0..11).map(|n| n.to_string()).collect::<Vec<_>>() }),
        json!([]),
    ] {
        let error = bob.post(notes, &body).is(422).json();
        assert_eq!(error["code"], "invalid");
        assert!(error["detail"].as_str().unwrap().len() > 5);
    }
    bob.send("POST", notes, Some(("application/json", "{".to_owned())))
        .is(422);
    bob.send("POST", notes, Some(("text/plain", "{}".to_owned())))
        .is(422);
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "after=x",
        "q=%00",
        "after=1&after=2",
    ] {
        bob.get(&format!("{notes}?{query}")).is(422);
    }
    bob.send("PUT", notes, None).is(405);
    assert_eq!(world.one("SELECT count(*) FROM note"), before);
}

#[test]
fn searching_and_paging() {
    let world = World::start(false);
    let bob = world.user("bob");
    let notes = "/api/tenants/acme/notes";
    for n in 0..25 {
        let title = format!("Series {n:02} 100% a_b");
        bob.post(notes, &json!({ "title": title, "body": "MiXeD", "tags": if n % 5 == 0 { vec!["five"] } else { vec![] } })).is(201);
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = bob
            .get(&format!("{notes}?q=series&limit=10{after}"))
            .is(200);
        seen.extend(page.each("title"));
        match page.json()["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let expected: Vec<_> = (0..25)
        .rev()
        .map(|n| format!("Series {n:02} 100% a_b"))
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(
        bob.get(&format!("{notes}?limit=29")).json()["next"],
        Value::Null,
        "exactly one page"
    );
    let found = |query: &str| {
        bob.get(&format!("{notes}?limit=100&{query}"))
            .is(200)
            .each("title")
            .len()
    };
    assert_eq!(found("q=mixed"), 25);
    assert_eq!(found("q=00%25"), 25, "a percent sign is one");
    assert_eq!(found("q=a_b"), 25, "an underscore is one");
    assert_eq!(found("q=a%25b"), 0);
    assert_eq!(found("q=%5C"), 0);
    assert_eq!(found("q=' OR 1=1 --".replace(' ', "+").as_str()), 0);
    assert_eq!(found("tag=five"), 5);
    assert_eq!(found("tag=five&q=05"), 1);
    assert_eq!(found("tag=none"), 0);
    assert_eq!(found(""), 29);
}

#[test]
fn an_error_inside_stays_inside() {
    let world = World::start(false);
    let bob = world.user("bob");
    world.sql("ALTER TABLE note RENAME COLUMN body TO other");
    let reply = bob.get("/api/tenants/acme/notes").is(500);
    assert_eq!(reply.code(), "internal");
    assert_eq!(
        reply.json(),
        json!({
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
            "code": "internal",
            "detail": "something went wrong on our side",
            "request_id": "ID",
        })
    );
}
