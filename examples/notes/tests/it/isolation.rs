//! Nobody meets another tenant's rows, and nobody learns that they exist.

use serde_json::json;

use crate::{browser::Browser, world::World};

#[test]
fn every_user_sees_their_own_tenants() {
    let world = World::shared();
    for (user, own, foreign) in [
        ("ann", &["acme", "globex"][..], &["initech"][..]),
        ("bob", &["acme"], &["globex", "initech"]),
        ("eve", &["globex"], &["acme", "initech"]),
        ("ivy", &["initech"], &["acme", "globex"]),
        ("sue", &[], &["acme", "globex", "initech"]),
    ] {
        let browser = world.user(user);
        assert_eq!(browser.get("/api/tenants").is(200).each("slug"), own);
        for tenant in own {
            let listed = browser
                .get(&format!("/api/tenants/{tenant}/notes?limit=100"))
                .is(200);
            let mut titles = listed.each("title");
            let mut expected = world.sql(&format!(
                "SELECT title FROM note JOIN identity.tenant t ON t.id = tenant_id WHERE slug = '{tenant}'"
            ));
            titles.sort();
            expected.sort();
            assert_eq!(titles, expected);
            let id = world.one(&format!(
                "SELECT id FROM identity.tenant WHERE slug = '{tenant}'"
            ));
            assert_eq!(
                browser
                    .get(&format!("/api/tenants/{id}/notes?limit=100"))
                    .is(200),
                listed
            );
            browser.get(&format!("/t/{tenant}")).is(200);
        }
        for tenant in foreign {
            let id = world.one(&format!(
                "SELECT id FROM identity.tenant WHERE slug = '{tenant}'"
            ));
            browser.get(&format!("/api/tenants/{tenant}/notes")).is(404);
            browser.get(&format!("/api/tenants/{id}/notes")).is(404);
            browser.get(&format!("/t/{tenant}")).is(404);
        }
    }
}

/// Every address with every method, as it is for a note that is not there.
fn probe(browser: &Browser, tenant: &str, note: &str) -> Vec<String> {
    let note = format!("/api/tenants/{tenant}/notes/{note}");
    let page = note.replace("/api/tenants", "/t");
    let text = json!({ "body": "x", "title": "x" });
    vec![
        format!("{:?}", browser.get(&note)),
        format!("{:?}", browser.patch(&note, &text)),
        format!("{:?}", browser.delete(&note)),
        format!("{:?}", browser.get(&format!("{note}/comments"))),
        format!("{:?}", browser.post(&format!("{note}/comments"), &text)),
        format!("{:?}", browser.get(&page)),
        format!("{:?}", browser.get(&format!("{page}/edit"))),
        format!("{:?}", browser.get(&format!("{page}/delete"))),
        format!(
            "{:?}",
            browser.form(&format!("{page}/edit"), &[("title", "x"), ("body", "y")])
        ),
        format!("{:?}", browser.form(&format!("{page}/delete"), &[])),
        format!(
            "{:?}",
            browser.form(&format!("{page}/comments"), &[("body", "x")])
        ),
    ]
}

#[test]
fn unknown_foreign_and_malformed_are_one() {
    let world = World::start(false);
    let bob = world.user("bob");
    let (own, foreign) = (world.note("acme"), world.note("globex"));
    let foreign_tenant = world.tenant("globex");
    let rows = "SELECT md5(string_agg(n::text, '' ORDER BY id)) FROM note n";
    let before = world.one(rows);
    let unknown = probe(&bob, "acme", "01890000-0000-7000-8000-000000000000");
    assert!(
        unknown.iter().all(|reply| reply.contains("status: 404")),
        "{unknown:#?}"
    );
    for (tenant, note) in [
        ("acme", foreign.as_str()),
        ("acme", "x"),
        ("acme", "%00"),
        ("acme", "%FF"),
        ("acme", "'"),
        ("globex", &foreign),
        ("globex", &own),
        ("nowhere", &own),
        (&foreign_tenant, &foreign),
        ("%FF", &own),
        ("01890000-0000-7000-8000-000000000000", &own),
    ] {
        assert_eq!(probe(&bob, tenant, note), unknown, "{tenant} {note}");
    }
    assert_eq!(world.one(rows), before);
    // The control: the same addresses reach what is one's own.
    let reached = probe(&bob, "acme", &own);
    assert!(
        reached[0].contains("status: 200") && reached[1].contains("status: 200"),
        "{reached:#?}"
    );
    assert_ne!(world.one(rows), before);
}

#[test]
fn whoever_is_not_signed_in_learns_nothing() {
    let world = World::shared();
    let nobody = world.anonymous();
    let own = probe(&nobody, "acme", "01890000-0000-7000-8000-000000000000");
    assert_eq!(probe(&nobody, "nowhere", "x"), own);
    for (n, reply) in own.iter().enumerate() {
        let wanted = if n < 5 { "status: 401" } else { "/sign-in" };
        assert!(reply.contains(wanted), "{reply}");
    }
}

#[test]
fn what_one_writes_the_other_does_not_see() {
    let world = World::start(false);
    let (bob, eve) = (world.user("bob"), world.user("eve"));
    let mark = "only-for-acme-77c1";
    let new = json!({ "title": mark, "body": mark, "tags": [mark] });
    bob.post("/api/tenants/acme/notes", &new).is(201);
    for path in [
        "/api/tenants/globex/notes",
        "/t/globex",
        &format!("/t/globex?tag={mark}"),
        "/tenants",
    ] {
        let body = eve.get(path).is(200).body;
        assert!(
            !body
                .replace(&format!("value=\"{mark}\""), "")
                .contains(mark),
            "{path}"
        );
    }
    assert!(
        eve.get(&format!("/api/tenants/globex/notes?q={mark}"))
            .each("title")
            .is_empty()
    );
    assert!(bob.get("/t/acme").body.contains(mark));
    let same = json!({ "title": "t", "tags": [mark] });
    eve.post("/api/tenants/globex/notes", &same).is(201);
    assert_eq!(
        world.one(&format!("SELECT count(*) FROM tag WHERE label = '{mark}'")),
        "2"
    );
}

#[test]
fn without_an_account_the_door_closes_at_once() {
    let world = World::start(false);
    let ann = world.user("ann");
    ann.get("/api/tenants/globex/notes").is(200);
    world.sql(
        "DELETE FROM identity.account a USING identity.tenant t WHERE a.tenant_id = t.id AND slug = 'globex'",
    );
    ann.get("/api/tenants/globex/notes").is(404);
    ann.get("/api/tenants/acme/notes").is(200);
}

#[test]
fn other_sites_cannot_act_for_a_visitor() {
    let world = World::start(false);
    let rows = "SELECT count(*) FROM note";
    let before = world.one(rows);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let mut bob = world.user("bob");
        bob.headers.push((name, value.to_owned()));
        bob.form("/t/acme/notes", &[("title", "x"), ("body", "")])
            .is(403);
        bob.post("/api/tenants/acme/notes", &json!({ "title": "x" }))
            .is(403);
        bob.delete("/api/session").is(403);
        bob.get("/api/tenants/acme/notes").is(200);
    }
    assert_eq!(world.one(rows), before);
    let mut bob = world.user("bob");
    bob.headers.push(("origin", world.url.clone()));
    bob.headers
        .push(("sec-fetch-site", "same-origin".to_owned()));
    bob.form("/t/acme/notes", &[("title", "x"), ("body", "")])
        .is(303);
}

#[test]
fn the_playground_is_off_unless_it_is_asked_for() {
    let world = World::shared();
    let bob = world.user("bob");
    let nothing = bob.get("/api/nothing").is(404);
    assert_eq!(bob.sql("acme", "SELECT 1"), nothing);
    bob.get("/t/acme/sql").is(404);
    assert!(!bob.get("/t/acme").body.contains("/sql"));
}
