//! Invitations, keys, staff and the audit log, from outside.

use std::thread;

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Reply},
    world::{World, nothing},
};

const INVITATIONS: &str = "/api/tenants/acme/invitations";
const KEYS: &str = "/api/tenants/acme/api-keys";
const PASSWORD: &str = "a good password";

impl World {
    /// The link that was mailed to an address last.
    fn invited(&self, address: &str) -> String {
        let (_, body) = self.mail(address).pop().unwrap();
        let (_, rest) = body.split_once("/invitation?token=").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    fn invite(&self, by: &Browser, address: &str, role: &str) -> (String, String) {
        let body = json!({ "email": address, "role": role });
        let reply = by.post(INVITATIONS, &body).is(201).json();
        (text(&reply["id"]), self.invited(address))
    }

    /// Somebody new, who joins by a link and is signed in.
    fn newcomer(&self, by: &Browser, address: &str, role: &str) -> Browser {
        let (_, link) = self.invite(by, address, role);
        let mut new = self.anonymous();
        let reply = accept_new(&new, &link, PASSWORD).is(201);
        new.keep(&reply);
        new
    }

    /// Somebody who has signed up and is in no tenant.
    fn stranger(&self, name: &str) -> Browser {
        self.sql(&format!(
            "WITH person AS (INSERT INTO identity.\"user\" (id, email, name, created_at) \
               VALUES (gen_random_uuid(), '{name}@example.com', '{name}', now()) RETURNING id) \
             INSERT INTO identity.credential (email_key, user_id, password_hash) \
             SELECT '{name}@example.com', person.id, c.password_hash FROM person, identity.credential c \
             WHERE c.email_key = 'ann@example.com'"
        ));
        self.user(name)
    }

    /// Past all rules, as whoever removes a member does.
    fn remove(&self, name: &str, slug: &str) {
        let account = self.account(name, slug);
        self.sql(&format!(
            "DELETE FROM identity.account_role WHERE account_id = '{account}'; \
             UPDATE identity.account SET user_id = NULL, removed_at = now(), deactivated_at = now() \
             WHERE id = '{account}'"
        ));
    }

    fn password_hash(&self, address: &str) -> String {
        self.one(&format!(
            "SELECT password_hash FROM identity.credential WHERE email_key = '{address}'"
        ))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn accept(browser: &Browser, link: &str) -> Reply {
    browser.post("/api/invitations/accept", &json!({ "token": link }))
}

fn accept_new(browser: &Browser, link: &str, password: &str) -> Reply {
    let body = json!({ "token": link, "name": "New", "password": password });
    browser.post("/api/invitations/accept", &body)
}

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
fn i59_following_a_link_consumes_nothing() {
    let world = World::start(false);
    let ann = world.user("ann");
    let cem = world.stranger("cem");
    let (_, link) = world.invite(&ann, "cem@example.com", "member");
    let page = format!("/invitation?token={link}");
    for method in ["HEAD", "GET", "HEAD", "GET"] {
        for browser in [&world.anonymous(), &cem, &ann] {
            let reply = browser.send(method, &page, None).is(200);
            assert!(method == "HEAD" || reply.body.contains("Acme"));
        }
    }
    cem.get("/api/invitations/accept").is(405);
    assert_eq!(
        ann.get(INVITATIONS).is(200).each("email"),
        ["cem@example.com"]
    );
    cem.get("/api/tenants/acme/notes").is(404);
    let joined = accept(&cem, &link).is(201).json();
    assert_eq!(joined["tenant"]["slug"], "acme");
    cem.get("/api/tenants/acme/notes").is(200);
    cem.post("/api/tenants/acme/notes", &json!({ "title": "i59" }))
        .is(201);
    assert_eq!(ann.get(INVITATIONS).is(200).each("email").len(), 0);
    world.anonymous().get(&page).is(422);
}

#[test]
fn i60_the_wrong_person_is_refused_and_it_stays_open() {
    let world = World::start(false);
    let (ann, eve) = (world.user("ann"), world.user("eve"));
    let cem = world.stranger("cem");
    let (_, link) = world.invite(&ann, "cem@example.com", "owner");
    assert_eq!(accept(&eve, &link).is(403).code(), "other_address");
    let form = eve.form("/invitation", &[("token", &link)]).is(403);
    assert!(
        form.body.contains("another e-mail address"),
        "{}",
        form.body
    );
    eve.get("/api/tenants/acme/notes").is(404);
    assert_eq!(ann.get(INVITATIONS).each("email").len(), 1);
    cem.form("/invitation", &[("token", &link)]).is(303);
    cem.get("/api/tenants/acme/invitations").is(200);
}

#[test]
fn i61_somebody_new_signs_up_and_somebody_known_signs_in() {
    let world = World::start(false);
    let ann = world.user("ann");
    let cem = world.stranger("cem");
    let before = world.password_hash("cem@example.com");
    let (_, link) = world.invite(&ann, "cem@example.com", "member");
    let nobody = world.anonymous();
    assert_eq!(accept(&nobody, &link).is(401).code(), "unauthorized");
    assert_eq!(
        accept_new(&nobody, &link, PASSWORD).is(401).code(),
        "sign_in_first"
    );
    let fields = [
        ("token", link.as_str()),
        ("name", "X"),
        ("password", PASSWORD),
    ];
    let page = nobody.form("/invitation", &fields).is(409);
    assert!(page.body.contains("sign in first") || page.body.contains("registered"));
    assert_eq!(world.password_hash("cem@example.com"), before);
    accept(&cem, &link).is(201);
    assert_eq!(world.password_hash("cem@example.com"), before);

    let (_, link) = world.invite(&ann, "dee@example.com", "viewer");
    assert_eq!(
        accept_new(&nobody, &link, "short").is(422).json()["field"],
        "password"
    );
    let mut dee = world.anonymous();
    dee.keep(&accept_new(&nobody, &link, PASSWORD).is(201));
    dee.get("/api/tenants/acme/notes").is(200);
    dee.post("/api/tenants/acme/notes", &json!({ "title": "i61" }))
        .is(403);
    assert!(
        world
            .password_hash("dee@example.com")
            .starts_with("$argon2id$")
    );
    dee.sign_in("DEE@example.com", PASSWORD);
    assert_eq!(
        accept_new(&nobody, &link, "a third password")
            .is(422)
            .code(),
        "bad_link"
    );

    // The same by the page.
    let (_, link) = world.invite(&ann, "fay@example.com", "viewer");
    let fields = [
        ("token", link.as_str()),
        ("name", "Fay"),
        ("password", PASSWORD),
    ];
    let reply = nobody.form("/invitation", &fields).is(303);
    assert_eq!(reply.location.as_deref(), Some("/t/acme"));
    let mut fay = world.anonymous();
    fay.keep(&reply);
    fay.get("/t/acme").is(200);
}

#[test]
fn i62_letter_case_makes_no_second_account() {
    let world = World::start(false);
    let ann = world.user("ann");
    let (first, _) = world.invite(&ann, "dee@example.com", "viewer");
    let body = json!({ "email": "DEE@Example.com", "role": "member" });
    let again = ann.post(INVITATIONS, &body).is(201).json();
    assert_eq!(text(&again["id"]), first);
    assert_eq!(ann.get(INVITATIONS).each("id").len(), 1);
    let link = world.invited("dee@example.com");
    let mut dee = world.anonymous();
    dee.keep(&accept_new(&dee, &link, PASSWORD).is(201));
    let accounts = "SELECT count(*) FROM identity.account WHERE lower(email) = 'dee@example.com'";
    let people = "SELECT count(*) FROM identity.\"user\" WHERE lower(email) = 'dee@example.com'";
    let (_, link) = world.invite(&ann, "Dee@EXAMPLE.com", "owner");
    assert_eq!(
        accept_new(&world.anonymous(), &link, PASSWORD)
            .is(401)
            .code(),
        "sign_in_first"
    );
    let reply = accept(&dee, &link).is(201).json();
    assert_eq!(reply["was_member"], true);
    // What she may do is not changed by it.
    dee.get("/api/tenants/acme/audit").is(403);
    assert_eq!(
        (world.one(accounts), world.one(people)),
        ("1".into(), "1".into())
    );
}

#[test]
fn i63_links_that_are_not_good_give_one_answer() {
    let world = World::start(false);
    let (ann, eve) = (world.user("ann"), world.user("eve"));
    let people: Vec<_> = ["cem", "dee", "fay", "gus", "hal"]
        .iter()
        .map(|name| world.stranger(name))
        .collect();
    let mut links = Vec::new();
    for name in ["cem", "dee", "fay", "gus"] {
        links.push(world.invite(&ann, &format!("{name}@example.com"), "member"));
    }
    world.sql(
        "UPDATE identity.invitation SET expires_at = now() WHERE email_key = 'cem@example.com'",
    );
    ann.delete(&format!("{INVITATIONS}/{}", links[1].0)).is(204);
    accept(&people[2], &links[2].1).is(201);
    let body = json!({ "email": "hal@example.com", "role": "member" });
    eve.post("/api/tenants/globex/invitations", &body).is(201);
    let foreign = world.invited("hal@example.com");
    world.sql("UPDATE identity.tenant SET suspended_at = now() WHERE slug = 'globex'");
    let unknown = ("", "0".repeat(64));
    let malformed = ("", "' OR 1=1".to_owned());
    let bad: Vec<(&Browser, &str)> = vec![
        (&people[0], &links[0].1),
        (&people[1], &links[1].1),
        (&people[2], &links[2].1),
        (&people[4], &foreign),
        (&people[3], &unknown.1),
        (&people[3], &malformed.1),
    ];
    let replies: Vec<_> = bad.iter().map(|(who, link)| accept(who, link)).collect();
    assert_eq!(replies[0].clone().is(422).code(), "bad_link");
    for (n, reply) in replies.iter().enumerate() {
        assert_eq!(reply, &replies[0], "{n}");
    }
    let nobody = world.anonymous();
    for (_, link) in &bad {
        assert_eq!(accept_new(&nobody, link, PASSWORD), replies[0]);
        assert_eq!(accept(&nobody, link), replies[0]);
    }
    // Another tenant's invitation is not there, to nobody who may invite.
    world.sql("UPDATE identity.tenant SET suspended_at = NULL WHERE slug = 'globex'");
    let theirs = "/api/tenants/globex/invitations";
    for id in [links[3].0.clone(), nothing(), links[1].0.to_uppercase()] {
        eve.delete(&format!("{theirs}/{id}")).is(404);
        eve.post(&format!("{theirs}/{id}/resend"), &json!({}))
            .is(404);
    }
    ann.delete("/api/tenants/globex/invitations/x").is(404);
    world.user("bob").get(INVITATIONS).is(403);
    eve.get(INVITATIONS).is(404);
    // The controls.
    accept(&people[3], &links[3].1).is(201);
    accept(&people[4], &foreign).is(201);
}

#[test]
fn i64_two_accepts_at_once_make_one_account() {
    const ROUNDS: usize = 100;
    let world = World::start(false);
    let ann = world.user("ann");
    let cem = world.stranger("cem");
    for round in 0..ROUNDS {
        let (_, link) = world.invite(&ann, "cem@example.com", "member");
        let statuses: Vec<u16> = thread::scope(|scope| {
            let accepts: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| accept(&cem, &link).status))
                .collect();
            accepts
                .into_iter()
                .map(|accept| accept.join().unwrap())
                .collect()
        });
        let good = statuses.iter().filter(|status| **status == 201).count();
        assert_eq!(good, 1, "{round}: {statuses:?}");
        assert!(
            statuses.iter().all(|status| [201, 422].contains(status)),
            "{statuses:?}"
        );
        let active = "SELECT count(*) FROM identity.account WHERE email = 'cem@example.com' AND user_id IS NOT NULL";
        assert_eq!(world.one(active), "1", "{round}");
        world.remove("cem", "acme");
    }
}

#[test]
fn i65_one_seat_is_taken_once() {
    const ROUNDS: usize = 40;
    let world = World::start(false);
    let ann = world.user("ann");
    let people: Vec<_> = (0..5).map(|n| world.stranger(&format!("p{n}"))).collect();
    world.sql("UPDATE identity.tenant SET seats = 3 WHERE slug = 'acme'");
    for round in 0..ROUNDS {
        // As if each round were another day.
        world.sql("UPDATE identity.invitation SET sent_at = sent_at - interval '2 days'");
        let links: Vec<_> = (0..5)
            .map(|n| world.invite(&ann, &format!("p{n}@example.com"), "viewer").1)
            .collect();
        let replies: Vec<Reply> = thread::scope(|scope| {
            let accepts: Vec<_> = people
                .iter()
                .zip(&links)
                .map(|(person, link)| scope.spawn(|| accept(person, link)))
                .collect();
            accepts
                .into_iter()
                .map(|accept| accept.join().unwrap())
                .collect()
        });
        let (good, bad): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status == 201);
        assert_eq!(good.len(), 1, "{round}: {bad:?}");
        for reply in bad {
            assert_eq!(reply.is(409).code(), "no_seat");
        }
        let winner = world.one(
            "SELECT split_part(email, '@', 1) FROM identity.account WHERE email LIKE 'p_@%' AND user_id IS NOT NULL",
        );
        world.remove(&winner, "acme");
    }
}

#[test]
fn i66_no_right_is_given_beyond_today() {
    let world = World::start(false);
    let ann = world.user("ann");
    world.give_role("bob", "acme", "admin");
    let bob = world.user("bob");
    for (name, damage) in [
        ("cem", "SELECT 1".to_owned()),
        (
            "dee",
            format!(
                "UPDATE identity.account SET deactivated_at = now() WHERE id = '{}'",
                world.account("bob", "acme")
            ),
        ),
    ] {
        let guest = world.stranger(name);
        let (_, link) = world.invite(&bob, &format!("{name}@example.com"), "admin");
        world.sql(&damage);
        accept(&guest, &link).is(201);
        let status = guest.get(INVITATIONS).status;
        assert_eq!(status, if name == "cem" { 200 } else { 403 }, "{name}");
    }
    world.sql("UPDATE identity.account SET deactivated_at = NULL");
    let guest = world.stranger("fay");
    let (_, link) = world.invite(&bob, "fay@example.com", "admin");
    world.give_role("bob", "acme", "member");
    accept(&guest, &link).is(201);
    guest.get(INVITATIONS).is(403);
    guest.get("/api/tenants/acme/notes").is(403);
    // Nobody invites to more than they hold.
    world.give_role("bob", "acme", "admin");
    let more = json!({ "email": "gus@example.com", "role": "owner" });
    assert_eq!(bob.post(INVITATIONS, &more).is(403).code(), "grants_more");
    ann.post(INVITATIONS, &more).is(201);
    let unknown = json!({ "email": "gus@example.com", "role": nothing() });
    let foreign = world.one(
        "SELECT r.id FROM identity.role r JOIN identity.tenant t ON t.id = r.tenant_id \
         WHERE t.slug = 'globex' AND r.name = 'viewer'",
    );
    let foreign = json!({ "email": "gus@example.com", "role": foreign });
    assert_eq!(
        ann.post(INVITATIONS, &unknown).is(422),
        ann.post(INVITATIONS, &foreign).is(422)
    );
}

#[test]
fn i67_the_inviter_is_not_told_who_is_known() {
    let world = World::start(false);
    let ann = world.user("ann");
    // Nobody, somebody of another tenant, and a member.
    let mut seen = Vec::new();
    for name in ["nobody", "eve", "bob"] {
        let address = format!("{name}@example.com");
        let body = json!({ "email": address, "role": "viewer" });
        let reply = ann.post(INVITATIONS, &body).is(201);
        let id = text(&reply.json()["id"]);
        let plain = reply.body.replace(&id, "ID").replace(name, "NAME");
        let (subject, mail) = world.mail(&address).pop().unwrap();
        let mail = mail.replace(&world.invited(&address), "LINK");
        seen.push((plain, subject, mail, world.mail(&address).len()));
    }
    assert!(seen.iter().all(|one| one == &seen[0]), "{seen:#?}");
    assert_eq!(ann.get(INVITATIONS).each("email").len(), 3);

    let id = world.one("SELECT id FROM identity.invitation WHERE email_key = 'eve@example.com'");
    let resend = format!("{INVITATIONS}/{id}/resend");
    let (eve, old) = (world.user("eve"), world.invited("eve@example.com"));
    ann.post(&resend, &json!({})).is(204);
    let new = world.invited("eve@example.com");
    assert_ne!(old, new);
    assert_eq!(accept(&eve, &old).is(422).code(), "bad_link");
    let wait = ann.post(&resend, &json!({})).is(429);
    let seconds: u64 = wait.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(wait.code(), "throttled");
    let page = ann
        .form(&format!("/t/acme/invitations/{id}/resend"), &[])
        .is(429);
    assert!(
        page.body.to_lowercase().contains("too many"),
        "{}",
        page.body
    );
    assert_eq!(world.mail("eve@example.com").len(), 2);
    accept(&eve, &new).is(201);
}

#[test]
fn i70_whoever_is_invited_again_has_the_new_role_only() {
    let world = World::start(false);
    let ann = world.user("ann");
    let cem = world.newcomer(&ann, "cem@example.com", "owner");
    cem.get("/api/tenants/acme/audit").is(200);
    world.remove("cem", "acme");
    cem.get("/api/tenants/acme/notes").is(404);
    let (_, link) = world.invite(&ann, "cem@example.com", "viewer");
    accept(&cem, &link).is(201);
    cem.get("/api/tenants/acme/notes").is(200);
    cem.get("/api/tenants/acme/audit").is(403);
    cem.post("/api/tenants/acme/notes", &json!({ "title": "i70" }))
        .is(403);
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

    world.remove("bob", "acme");
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
