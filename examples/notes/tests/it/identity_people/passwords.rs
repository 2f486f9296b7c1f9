use std::time::{Duration, Instant};

use argon2::{Argon2, Params, PasswordHasher as _};
use serde_json::json;

use super::PASSWORD;
use crate::world::World;

#[test]
fn i1_a_new_address_and_a_long_password_sign_up() {
    let world = World::start(false);
    let password: String = "pässwörd ключ 密码 🔑 ".chars().cycle().take(100).collect();
    let mut zoe = world.anonymous();
    let sign_up = json!({ "email": "Zoë@Example.com", "name": "Zoë", "password": password });
    zoe.post("/api/users", &sign_up).is(202);
    assert_eq!(
        world.sign_in("zoë@example.com", &password).is(401).code(),
        "wrong_credentials"
    );
    let link = json!({ "token": world.link("zo\u{eb}@example.com") });
    zoe.post("/api/users/verify", &link).is(201);
    assert_eq!(
        zoe.post("/api/users/verify", &link).is(422).code(),
        "bad_link"
    );
    zoe.sign_in("zoe\u{308}@EXAMPLE.com", &password);
    let session = zoe.get("/api/session").is(200).json();
    assert_eq!(session["user"]["email"], "Zoë@Example.com");
    assert!(session["account"].is_null());
    let stored =
        "SELECT password_hash FROM identity.credential WHERE email_key = 'zo\u{eb}@example.com'";
    let stored = world.one(stored);
    assert!(
        stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{stored}"
    );
    for (field, body) in [
        (
            "email",
            json!({ "email": "zoe", "name": "Zoe", "password": PASSWORD }),
        ),
        (
            "name",
            json!({ "email": "z@example.com", "name": "", "password": PASSWORD }),
        ),
        (
            "password",
            json!({ "email": "z@example.com", "name": "Zoe", "password": "123456789" }),
        ),
    ] {
        let refused = zoe.post("/api/users", &body).is(422).json();
        assert_eq!(refused["field"], field, "{refused}");
    }
}

#[test]
fn i2_a_registered_address_answers_as_an_unknown_one() {
    let world = World::start(false);
    let anonymous = world.anonymous();
    let sign_up = |email: &str| {
        let body = json!({ "email": email, "name": "Ann", "password": PASSWORD });
        anonymous.post("/api/users", &body).is(202)
    };
    let reset = |email: &str| {
        anonymous
            .post("/api/users/reset", &json!({ "email": email }))
            .is(202)
    };
    let (unknown, asked) = (sign_up("zoe@example.com"), reset("joe@example.com"));
    for email in ["ann@example.com", "ANN@Example.COM"] {
        assert_eq!(sign_up(email), unknown);
        assert_eq!(reset(email), asked);
    }
    let subjects: Vec<_> = world
        .mail("ann@example.com")
        .into_iter()
        .map(|(subject, _)| subject)
        .collect();
    let to_ann = ["You already have an account", "Choose a new password"].repeat(2);
    assert_eq!(subjects, to_ann);
    assert_eq!(
        world.mail("zoe@example.com")[0].0,
        "Confirm your e-mail address"
    );
    assert_eq!(
        world.mail("joe@example.com")[0].0,
        "No account has this address"
    );
    world.sign_in("ann@example.com", PASSWORD).is(401);
    world.sign_in("ann@example.com", &world.password).is(200);
}

#[test]
fn i3_unknown_and_wrong_are_one_answer() {
    let world = World::shared();
    let timed = |email: &str| {
        let began = Instant::now();
        let reply = world.sign_in(email, "a wrong password").is(401);
        (reply, began.elapsed())
    };
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        let (to_wrong, took_wrong) = timed("ann@example.com");
        let (to_unknown, took_unknown) = timed("nobody@example.com");
        assert_eq!(to_wrong, to_unknown);
        wrong.push(took_wrong);
        unknown.push(took_unknown);
    }
    wrong.sort();
    unknown.sort();
    let (wrong, unknown) = (wrong[7], unknown[7]);
    let ratio = unknown.as_secs_f64() / wrong.as_secs_f64();
    assert!((0.5..2.0).contains(&ratio), "{unknown:?} {wrong:?}");
    assert!(wrong > Duration::from_millis(5));
}

#[test]
fn i4_a_weak_hash_is_rewritten_by_a_right_password_only() {
    let world = World::start(false);
    let weak = Argon2::from(Params::new(8_192, 1, 1, None).unwrap());
    let weak = weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    world.sql(&format!(
        "UPDATE identity.credential SET password_hash = '{weak}' WHERE email_key = 'bob@example.com'"
    ));
    let stored =
        "SELECT password_hash FROM identity.credential WHERE email_key = 'bob@example.com'";
    world.sign_in("bob@example.com", "a wrong password").is(401);
    assert_eq!(world.one(stored), weak);
    world.sign_in("bob@example.com", PASSWORD).is(200);
    assert!(
        world
            .one(stored)
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
    world.sign_in("bob@example.com", PASSWORD).is(200);
}

#[test]
fn i12_changing_the_password_ends_the_other_sessions() {
    let world = World::start(false);
    let (mut here, there) = (world.user("bob"), world.user("bob"));
    let before = here.cookie.clone();
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });
    let wrong = here.post("/api/users/password", &change("a wrong password", PASSWORD));
    assert_eq!(wrong.is(401).code(), "wrong_credentials");
    let short = here.post("/api/users/password", &change(&world.password, "short"));
    assert_eq!(short.is(422).json()["field"], "new");
    there.get("/api/session").is(200);
    let changed = here
        .post("/api/users/password", &change(&world.password, PASSWORD))
        .is(204);
    here.keep(&changed);
    assert_ne!(here.cookie, before);
    here.get("/api/session").is(200);
    there.get("/api/session").is(401);
    here.cookie = before;
    here.get("/api/session").is(401);
    world.user("ann").get("/api/session").is(200);
    world.sign_in("bob@example.com", &world.password).is(401);
    world.sign_in("bob@example.com", PASSWORD).is(200);
}

#[test]
fn i12_a_mailed_link_sets_a_password_once() {
    let world = World::start(false);
    let bob = world.user("bob");
    let anonymous = world.anonymous();
    let ask = || {
        let asked = json!({ "email": "Bob@example.com" });
        anonymous.post("/api/users/reset", &asked).is(202);
        world.link("bob@example.com")
    };
    let confirm = |token: &str, password: &str| {
        let body = json!({ "token": token, "password": password });
        anonymous.post("/api/users/reset/confirm", &body)
    };
    let (first, second) = (ask(), ask());
    let bad = confirm(&first, PASSWORD).is(422);
    assert_eq!(bad.code(), "bad_link");
    assert_eq!(confirm(&"0".repeat(64), PASSWORD), bad);
    assert_eq!(confirm("nonsense", PASSWORD), bad);
    assert_eq!(
        confirm(&second, "short").is(422).json()["field"],
        "password"
    );
    bob.get("/api/session").is(200);
    confirm(&second, PASSWORD).is(204);
    assert_eq!(confirm(&second, "yet another password"), bad);
    bob.get("/api/session").is(401);
    world.sign_in("bob@example.com", &world.password).is(401);
    world.sign_in("bob@example.com", PASSWORD).is(200);
    let late = ask();
    world.pass("61 minutes");
    assert_eq!(confirm(&late, "yet another password"), bad);
}

#[test]
fn i14_wrong_passwords_end_in_429() {
    let world = World::tuned(|settings| settings.attempts = 3);
    let attempt = |email: &str, password: &str, forged: &str| {
        let body = json!({ "email": email, "password": password });
        let browser = world.anonymous().with("x-forwarded-for", forged);
        browser.post("/api/session", &body)
    };
    for email in ["bob@example.com", "nobody@example.com"] {
        for n in 0..3 {
            attempt(email, "a wrong password", &format!("198.51.100.{n}")).is(401);
        }
        let refused = attempt(email, &world.password, "203.0.113.9").is(429);
        assert_eq!(refused.code(), "throttled");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((60..=300).contains(&wait), "{wait}");
    }
    for _ in 0..5 {
        attempt("ann@example.com", &world.password, "203.0.113.9").is(200);
    }
    let ask = || {
        world
            .anonymous()
            .post("/api/users/reset", &json!({ "email": "bob@example.com" }))
    };
    for _ in 0..3 {
        ask().is(202);
    }
    ask().is(429);
}

/// Behind a proxy that is known, it is the client who runs out.
#[test]
fn i14_a_known_proxy_is_believed() {
    let world = World::tuned(|settings| {
        settings.attempts = 3;
        settings.proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let attempt = |client: &str| {
        let body = json!({ "email": "bob@example.com", "password": "a wrong password" });
        let browser = world.anonymous().with("x-forwarded-for", client);
        browser.post("/api/session", &body)
    };
    for _ in 0..3 {
        attempt("198.51.100.1").is(401);
    }
    attempt("198.51.100.1").is(429);
    // What the client itself wrote stands further left.
    attempt("203.0.113.1, 198.51.100.1").is(429);
    attempt("198.51.100.2").is(401);
}
