//! Who asks, and in which tenant: the address says which, the account says what.

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Reply},
    world::{World, nothing},
};

#[test]
fn i15_the_cookie_is_for_this_host_and_the_database_holds_a_hash() {
    let world = World::shared();
    let mut bob = world.anonymous();
    let credentials = json!({ "email": "bob@example.com", "password": world.password });
    let reply = bob.post("/api/session", &credentials).is(200);
    let cookie = reply.set_cookie.clone().unwrap();
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    let attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    for wanted in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(attributes.contains(&wanted), "{wanted} of {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");

    bob.keep(&reply);
    bob.get("/api/session").is(200);
    let token = bob.token();
    let with = |text: &str| {
        world.one(&format!(
            "SELECT count(*) FROM identity.session s WHERE s::text LIKE '%{text}%'"
        ))
    };
    assert_eq!(with(token), "0", "the token itself is stored");
    // The control: its hash is, and is not a token.
    let hash = world.one(&format!(
        "SELECT encode(sha256(convert_to('{token}', 'UTF8')), 'hex')"
    ));
    assert_eq!(with(&hash), "1");
    let mut thief = world.anonymous();
    thief.cookie = Some(format!("__Host-session={hash}"));
    thief.get("/api/session").is(401);
    // Two that differ: a neighbour has planted one.
    thief.cookie = Some(format!(
        "{}; __Host-session={hash}",
        bob.cookie.clone().unwrap()
    ));
    thief.get("/api/session").is(401);
}

/// The tenant that is current, and what is permitted there.
fn current(browser: &Browser) -> (Value, Value) {
    let session = browser.get("/api/session").is(200).json();
    let account = &session["account"];
    (
        account["tenant"]["slug"].clone(),
        account["permissions"].clone(),
    )
}

#[test]
fn i22_the_address_selects_and_the_current_account_stays() {
    let world = World::start(false);
    let ann = world.user("ann");
    assert_eq!(
        current(&ann).0,
        Value::Null,
        "none of two is the current one"
    );
    let globex = world.account("ann", "globex");
    ann.form("/switch", &[("account", &globex)]).is(303);
    let before = current(&ann);
    assert_eq!(before.0, "globex");
    assert!(!before.1.as_array().unwrap().contains(&json!("note.create")));

    let new = json!({ "title": "i22" });
    let note = ann.post("/api/tenants/acme/notes", &new).is(201).json();
    let note = note["id"].as_str().unwrap();
    let owner = "SELECT t.slug FROM note n JOIN identity.tenant t ON t.id = n.tenant_id WHERE n.title = 'i22'";
    assert_eq!(world.sql(owner), ["acme"]);
    assert_eq!(current(&ann), before);
    // In the tenant that is current she only reads, and what is in the other is not there.
    let refused = ann.post("/api/tenants/globex/notes", &new).is(403);
    assert_eq!(refused.code(), "forbidden");
    ann.get(&format!("/api/tenants/globex/notes/{note}"))
        .is(404);
    ann.get(&format!("/api/tenants/acme/notes/{note}")).is(200);
    ann.get("/api/tenants/globex/notes").is(200);
    assert_eq!(world.sql(owner), ["acme"]);
    assert_eq!(current(&ann), before);
}

#[test]
fn i24_a_request_that_names_two_tenants_is_refused() {
    let world = World::start(false);
    let notes = "/api/tenants/acme/notes";
    let (acme, globex) = (world.tenant("acme"), world.tenant("globex"));
    let rows = "SELECT md5(string_agg(n::text, '' ORDER BY id)) FROM note n";
    let before = world.one(rows);
    let title = |more: Value| {
        let mut body = json!({ "title": "i24" });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let two_tenants = |reply: Reply| assert_eq!(reply.is(400).code(), "two_tenants");
    // Whoever has an account in both is refused like anybody else.
    for name in ["ann", "bob"] {
        let browser = world.user(name);
        for other in ["globex", &globex, "nowhere", &nothing(), "", "ACME"] {
            let header = world.user(name).with("x-tenant", other);
            two_tenants(header.get(notes));
            two_tenants(header.post(notes, &title(json!({}))));
            for parameter in ["tenant", "tenant_id"] {
                let query = format!("{notes}?{parameter}={other}");
                two_tenants(browser.get(&query));
                two_tenants(browser.post(&query, &title(json!({}))));
                two_tenants(browser.post(notes, &title(json!({ parameter: other }))));
                let page = browser.form(
                    "/t/acme/notes",
                    &[("title", "i24"), ("body", ""), (parameter, other)],
                );
                page.is(400);
            }
        }
        let both = format!("{notes}?tenant=acme&tenant=globex");
        two_tenants(browser.get(&both));
        let both = r#"{ "title": "i24", "tenant": "acme", "tenant": "globex" }"#;
        two_tenants(browser.send("POST", notes, Some(("application/json", both.to_owned()))));
    }
    assert_eq!(world.one(rows), before);
    // The control: the same tenant, however it is named.
    let bob = world.user("bob");
    for same in ["acme", &acme] {
        let header = world.user("bob").with("x-tenant", same);
        header.get(notes).is(200);
        bob.get(&format!("{notes}?tenant={same}&tenant_id={acme}"))
            .is(200);
        bob.post(notes, &title(json!({ "tenant": same, "tenant_id": acme })))
            .is(201);
        let fields = [("title", "i24"), ("body", ""), ("tenant", same)];
        bob.form("/t/acme/notes", &fields).is(303);
    }
}

/// Every address of the JSON interface under a tenant, with every method, as it is for a note.
fn all(browser: &Browser, tenant: &str, note: &str) -> Vec<Reply> {
    let notes = format!("/api/tenants/{tenant}/notes");
    let addresses = [
        notes.clone(),
        format!("{notes}/{note}"),
        format!("{notes}/{note}/comments"),
    ];
    let mut replies = Vec::new();
    for address in addresses {
        for method in [
            "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE", "BREW",
        ] {
            for body in ["", "{", r#"{ "title": "x", "body": "x" }"#] {
                replies.push(browser.raw(method, &address, body));
            }
        }
    }
    replies
}

#[test]
fn i27_a_foreign_tenant_is_none_and_a_stranger_learns_nothing() {
    let world = World::start(false);
    let (bob, nobody) = (world.user("bob"), world.anonymous());
    let (own, foreign) = (world.note("acme"), world.note("globex"));
    let rows = "SELECT md5(string_agg(n::text, '' ORDER BY id)) FROM note n";
    let before = world.one(rows);
    let missing = all(&bob, &nothing(), &nothing());
    for reply in &missing {
        assert_eq!(
            (reply.status, reply.header("allow")),
            (404, None),
            "{reply:?}"
        );
    }
    let anonymous = all(&nobody, &nothing(), &nothing());
    for reply in &anonymous {
        assert_eq!(
            (reply.status, reply.header("allow")),
            (401, None),
            "{reply:?}"
        );
    }
    let globex = world.tenant("globex");
    for tenant in ["globex", &globex, "nowhere", &globex.to_uppercase()] {
        for note in [&foreign, &own, &nothing()] {
            assert_eq!(all(&bob, tenant, note), missing, "{tenant} {note}");
        }
    }
    for (tenant, note) in [("acme", &own), ("globex", &foreign), ("nowhere", &own)] {
        assert_eq!(all(&nobody, tenant, note), anonymous, "{tenant} {note}");
    }
    assert_eq!(world.one(rows), before);
    // The control: whose they are reaches them.
    let eve = world.user("eve");
    let reached: Vec<_> = all(&eve, "globex", &foreign)
        .iter()
        .map(|reply| reply.status)
        .collect();
    for status in [200, 201, 204, 405, 422] {
        assert!(reached.contains(&status), "no {status} in {reached:?}");
    }
}

/// 401, 404 for the tenant, 403 for a suspended one, 404 for the row, 403, 405, and only then what is
/// wrong with the request.
#[test]
fn refusals_come_in_one_order() {
    let world = World::start(false);
    let ann = world.user("ann");
    let (own, foreign) = (world.note("globex"), world.note("acme"));
    let note = |id: &str| format!("/api/tenants/globex/notes/{id}");
    let broken = Some(("application/json", "{".to_owned()));
    let missing = ann.send("PATCH", &note(&nothing()), broken.clone()).is(404);
    for id in [
        foreign.as_str(),
        "x",
        &own.to_uppercase(),
        &own.replace('-', ""),
    ] {
        assert_eq!(
            ann.send("PATCH", &note(id), broken.clone()),
            missing,
            "{id}"
        );
    }
    // She may read here and nothing else: whatever is wrong with the body is not told.
    for (method, path) in [
        ("PATCH", note(&own)),
        ("DELETE", note(&own)),
        ("POST", note(&own) + "/comments"),
        ("POST", "/api/tenants/globex/notes".to_owned()),
    ] {
        let refused = ann.send(method, &path, broken.clone()).is(403);
        assert_eq!(refused.code(), "forbidden", "{method} {path}");
    }
    ann.get(&note(&own)).is(200);
    let odd = ann.put(&note(&own), &json!({})).is(405);
    assert_eq!(
        (odd.code().as_str(), odd.header("allow")),
        (
            "method_not_allowed",
            Some("DELETE, GET, HEAD, OPTIONS, PATCH")
        )
    );
    world.give_role("ann", "globex", "member");
    ann.send("PATCH", &note(&own), broken.clone()).is(422);

    world.sql("UPDATE identity.tenant SET suspended_at = now() WHERE slug = 'globex'");
    for id in [own.clone(), nothing()] {
        let suspended = ann.send("PATCH", &note(&id), broken.clone()).is(403);
        assert_eq!(suspended.code(), "suspended");
    }
    let bob = world.user("bob");
    assert_eq!(bob.send("PATCH", &note(&own), broken.clone()), missing);
    assert_eq!(
        world
            .anonymous()
            .send("PATCH", &note(&own), broken)
            .is(401)
            .code(),
        "unauthorized"
    );
}
