//! Keys of programs, the audit log, and the pages for both.

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    identity_invitations::{INVITATIONS, accept, text},
    world::{World, nothing},
};

pub const KEYS: &str = "/api/tenants/acme/api-keys";

/// What a program sends.
fn program(world: &World, key: &str) -> Browser {
    world
        .anonymous()
        .with("authorization", &format!("Bearer {key}"))
}

fn actions(browser: &Browser, tenant: &str) -> Vec<String> {
    let log = browser.get(&format!("/api/tenants/{tenant}/audit?limit=200"));
    let mut actions = log.is(200).each("action");
    actions.reverse();
    actions
}

#[test]
fn i71_a_key_opens_its_own_tenant_and_dies_with_its_account() {
    let world = World::start(false);
    let ann = world.user("ann");
    world.give_role("bob", "acme", "admin");
    let bob = world.user("bob");
    let make = |browser: &Browser, service: bool| {
        let body = json!({ "name": "nightly", "permissions": ["note.read"], "service": service });
        browser.post(KEYS, &body).is(201).json()
    };
    let (own, service) = (make(&bob, false), make(&bob, true));
    let own_program = program(&world, own["key"].as_str().unwrap());
    let service_program = program(&world, service["key"].as_str().unwrap());
    let of_ann = make(&ann, false);
    let of_ann = program(&world, of_ann["key"].as_str().unwrap());
    for key in [&own_program, &service_program, &of_ann] {
        key.get("/api/tenants/acme/notes").is(200);
        key.post("/api/tenants/acme/notes", &json!({ "title": "i71" }))
            .is(403);
        // Ann reads globex herself; her key of acme does not.
        let foreign = key.get("/api/tenants/globex/notes").is(404);
        assert_eq!(
            foreign,
            key.get(&format!("/api/tenants/{}/notes", nothing()))
        );
        // A key is no person.
        key.get("/api/session").is(401);
        let child = json!({ "name": "child", "permissions": ["note.read"] });
        key.post(KEYS, &child).is(403);
    }
    ann.get("/api/tenants/globex/notes").is(200);
    // Shown once, kept as a hash.
    let list = ann.get(KEYS).is(200);
    assert_eq!(list.each("hint").len(), 3);
    assert!(!list.body.contains(own["key"].as_str().unwrap()));
    assert!(
        list.json()["items"][1]["last_used_at"].is_string(),
        "{}",
        list.body
    );
    world.user("eve").get(KEYS).is(404);
    let more = json!({ "name": "more", "permissions": ["tenant.delete"] });
    assert_eq!(bob.post(KEYS, &more).is(403).code(), "grants_more");
    ann.post(KEYS, &more).is(201);
    let odd = json!({ "name": "odd", "permissions": ["note.fly"] });
    assert_eq!(ann.post(KEYS, &odd).is(422).json()["field"], "permissions");

    world.remove(&ann, "bob");
    own_program.get("/api/tenants/acme/notes").is(401);
    service_program.get("/api/tenants/acme/notes").is(200);
    let id = text(&service["id"]);
    world
        .user("eve")
        .delete(&format!("/api/tenants/globex/api-keys/{id}"))
        .is(404);
    service_program.get("/api/tenants/acme/notes").is(200);
    ann.delete(&format!("{KEYS}/{id}")).is(204);
    service_program.get("/api/tenants/acme/notes").is(401);
    ann.delete(&format!("{KEYS}/{id}")).is(404);
}

#[test]
fn i72_what_is_done_is_written_down_and_for_ones_own_tenant() {
    let world = World::start(false);
    let (ann, eve, bob) = (world.user("ann"), world.user("eve"), world.user("bob"));
    assert_eq!(actions(&ann, "acme"), Vec::<String>::new());
    let cem = world.stranger("cem");
    let (id, _) = world.invite(&ann, "cem@example.com", "viewer");
    ann.post(&format!("{INVITATIONS}/{id}/resend"), &json!({}))
        .is(204);
    ann.delete(&format!("{INVITATIONS}/{id}")).is(204);
    let (_, link) = world.invite(&ann, "cem@example.com", "viewer");
    accept(&cem, &link).is(201);
    let key = json!({ "name": "key", "permissions": ["note.read"] });
    let key = ann.post(KEYS, &key).is(201).json();
    ann.delete(&format!("{KEYS}/{}", text(&key["id"]))).is(204);
    let all = [
        "invitation.sent",
        "invitation.sent",
        "invitation.revoked",
        "invitation.sent",
        "invitation.accepted",
        "key.created",
        "key.revoked",
    ];
    assert_eq!(actions(&ann, "acme"), all);
    // Nobody else's, and nobody's without the right.
    assert_eq!(actions(&eve, "globex"), Vec::<String>::new());
    let audit = "/api/tenants/acme/audit";
    assert_eq!(
        eve.get(audit).is(404),
        eve.get(&format!("/api/tenants/{}/audit", nothing()))
    );
    bob.get(audit).is(403);
    world.anonymous().get(audit).is(401);
    // A page at a time, of one kind, by one person.
    let first = ann.get(&format!("{audit}?limit=4")).is(200);
    let next = text(&first.json()["next"]);
    let second = ann.get(&format!("{audit}?limit=4&after={next}")).is(200);
    assert_eq!((first.each("id").len(), second.each("id").len()), (4, 3));
    assert_eq!(second.json()["next"], Value::Null);
    assert_eq!(
        ann.get(&format!("{audit}?action=invitation.sent"))
            .each("id")
            .len(),
        3
    );
    assert_eq!(
        ann.get(&format!("{audit}?user={}", world.person("cem")))
            .each("action"),
        ["invitation.accepted"]
    );
    ann.get(&format!("{audit}?after=x")).is(422);
    assert!(!ann.get(audit).body.contains(&link));
    let page = ann.get("/t/acme/audit").is(200);
    assert!(page.body.contains("invitation.accepted"));
}

#[test]
fn pages_invite_make_keys_and_show_mail() {
    let world = World::start(false);
    let ann = world.user("ann");
    let cem = world.stranger("cem");
    assert!(ann.get("/t/acme").body.contains("/t/acme/invitations"));
    assert!(
        !world
            .user("bob")
            .get("/t/acme")
            .body
            .contains("/t/acme/invitations")
    );
    let invite = |email: &str| {
        ann.form(
            "/t/acme/invitations",
            &[("email", email), ("role", "member")],
        )
    };
    let wrong = invite("nobody").is(422);
    assert!(
        wrong.body.contains("not an e-mail address"),
        "{}",
        wrong.body
    );
    invite("cem@example.com").is(303);
    assert!(
        ann.get("/t/acme/invitations")
            .is(200)
            .body
            .contains("cem@example.com")
    );
    let mail = world.anonymous().get("/dev/mail").is(200);
    assert!(
        mail.body.contains("Join Acme") && mail.body.contains("href=\"http://127.0.0.1"),
        "{}",
        mail.body
    );
    let link = world.invited("cem@example.com");
    let page = cem.get(&format!("/invitation?token={link}")).is(200);
    assert!(
        page.body.contains("Join as cem@example.com"),
        "{}",
        page.body
    );
    cem.form("/invitation", &[("token", &link)]).is(303);
    cem.get("/t/acme").is(200);

    let fields = [
        ("name", "nightly"),
        ("days", "30"),
        ("permission", "note.read"),
        ("permission", "comment.read"),
    ];
    let made = ann.form("/t/acme/keys", &fields).is(201);
    let (_, rest) = made.body.split_once("<code>pwk_").unwrap();
    let key = format!("pwk_{}", rest.split('<').next().unwrap());
    program(&world, &key).get("/api/tenants/acme/notes").is(200);
    let list = ann.get("/t/acme/keys").is(200);
    assert!(list.body.contains("nightly") && !list.body.contains(&key));
    ann.form(
        "/t/acme/keys",
        &[("name", "x"), ("days", "0"), ("permission", "note.read")],
    )
    .is(422);
    ann.form("/t/acme/keys", &[("name", "x"), ("days", "")])
        .is(422);
    world.user("bob").form("/t/acme/keys", &fields).is(403);
    let id = world.one("SELECT id FROM identity.api_key");
    ann.form(&format!("/t/acme/keys/{id}/revoke"), &[]).is(303);
    program(&world, &key).get("/api/tenants/acme/notes").is(401);
}
