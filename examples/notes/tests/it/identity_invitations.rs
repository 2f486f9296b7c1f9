//! Invitations, from outside.

use std::thread;

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Reply},
    world::{World, nothing},
};

pub const INVITATIONS: &str = "/api/tenants/acme/invitations";
const PASSWORD: &str = "a good password";

impl World {
    /// The link that was mailed to an address last.
    pub fn invited(&self, address: &str) -> String {
        let (_, body) = self.mail(address).pop().unwrap();
        let (_, rest) = body.split_once("/invitation?token=").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    pub fn invite(&self, by: &Browser, address: &str, role: &str) -> (String, String) {
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
    pub fn stranger(&self, name: &str) -> Browser {
        self.sql(&format!(
            "WITH person AS (INSERT INTO identity.\"user\" (id, email, name, created_at) \
               VALUES (gen_random_uuid(), '{name}@example.com', '{name}', now()) RETURNING id) \
             INSERT INTO identity.credential (email_key, user_id, password_hash) \
             SELECT '{name}@example.com', person.id, c.password_hash FROM person, identity.credential c \
             WHERE c.email_key = 'ann@example.com'"
        ));
        self.user(name)
    }

    /// By ann, who owns acme.
    pub fn remove(&self, ann: &Browser, name: &str) {
        let account = self.account(name, "acme");
        ann.delete(&format!("/api/tenants/acme/members/{account}"))
            .is(204);
    }

    fn password_hash(&self, address: &str) -> String {
        self.one(&format!(
            "SELECT password_hash FROM identity.credential WHERE email_key = '{address}'"
        ))
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub fn accept(browser: &Browser, link: &str) -> Reply {
    browser.post("/api/invitations/accept", &json!({ "token": link }))
}

fn accept_new(browser: &Browser, link: &str, password: &str) -> Reply {
    let body = json!({ "token": link, "name": "New", "password": password });
    browser.post("/api/invitations/accept", &body)
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
        world.remove(&ann, "cem");
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
        world.remove(&ann, &winner);
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
    world.remove(&ann, "cem");
    cem.get("/api/tenants/acme/notes").is(404);
    let (_, link) = world.invite(&ann, "cem@example.com", "viewer");
    accept(&cem, &link).is(201);
    cem.get("/api/tenants/acme/notes").is(200);
    cem.get("/api/tenants/acme/audit").is(403);
    cem.post("/api/tenants/acme/notes", &json!({ "title": "i70" }))
        .is(403);
}
