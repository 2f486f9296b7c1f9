use std::{thread, time::Duration};

use serde_json::{Value, json};

use super::current;
use crate::{
    browser::Browser,
    world::{World, nothing},
};

fn switch(browser: &Browser, account: &str) -> crate::browser::Reply {
    browser.post("/api/session/account", &json!({ "account": account }))
}

#[test]
fn i16_a_session_begins_at_the_only_account_or_the_last() {
    let world = World::start(false);
    let begins = |name: &str| current(&world.user(name).get("/api/session").is(200));
    assert_eq!(begins("sue"), Value::Null);
    assert_eq!(begins("bob"), "acme");
    assert_eq!(begins("ann"), Value::Null);
    switch(&world.user("ann"), &world.account("ann", "globex")).is(200);
    assert_eq!(begins("ann"), "globex");
    switch(&world.user("ann"), &world.account("ann", "acme")).is(200);
    assert_eq!(begins("ann"), "acme");
}

#[test]
fn i17_switching_changes_this_session_only() {
    let world = World::start(false);
    let (here, there) = (world.user("ann"), world.user("ann"));
    for slug in ["acme", "globex", "acme"] {
        let account = world.account("ann", slug);
        let switched = switch(&here, &account).is(200);
        assert_eq!(switched.json()["account"]["id"], account);
        assert_eq!(current(&here.get("/api/session")), slug);
        assert_eq!(current(&there.get("/api/session")), Value::Null);
    }
    let mine = here.get("/api/accounts").is(200).json();
    let mine: Vec<_> = mine["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mine| {
            (
                mine["tenant"]["slug"].as_str().unwrap(),
                mine["is_current"] == true,
            )
        })
        .collect();
    assert_eq!(mine, [("acme", true), ("globex", false)]);
    let audited =
        "SELECT count(*) FROM identity.audit WHERE action = 'account.switched' AND tenant_id = ";
    assert_eq!(
        world.one(&format!("{audited}'{}'", world.tenant("acme"))),
        "2"
    );
    assert_eq!(
        world.one(&format!("{audited}'{}'", world.tenant("globex"))),
        "1"
    );
}

#[test]
fn i18_i19_i20_a_failed_switch_changes_nothing() {
    let world = World::start(false);
    let ann = world.user("ann");
    switch(&ann, &world.account("ann", "acme")).is(200);
    let own = world.account("ann", "globex");
    let before = world.standing();
    let missing = switch(&ann, &nothing()).is(404);
    for foreign in [
        world.account("bob", "acme"),
        world.account("eve", "globex"),
        world.tenant("globex"),
        "globex".to_owned(),
        String::new(),
        "\0".to_owned(),
        own.to_uppercase(),
        own.replace('-', ""),
        format!("{{{own}}}"),
        format!("urn:uuid:{own}"),
    ] {
        assert_eq!(switch(&ann, &foreign), missing, "{foreign}");
    }
    for odd in [
        json!({ "account": 5 }),
        json!({ "account": null }),
        json!({ "account": [own] }),
    ] {
        assert_eq!(ann.post("/api/session/account", &odd), missing, "{odd}");
    }
    ann.post("/api/session/account", &json!({})).is(422);
    assert_eq!(world.standing(), before);
    assert_eq!(current(&ann.get("/api/session")), "acme");
    let account = |set: &str| {
        world.sql(&format!(
            "UPDATE identity.account SET {set} WHERE id = '{own}'"
        ));
    };
    let tenant = |set: &str| {
        world.sql(&format!(
            "UPDATE identity.tenant SET {set} WHERE slug = 'globex'"
        ));
    };
    account("deactivated_at = now()");
    assert_eq!(switch(&ann, &own), missing);
    account("deactivated_at = NULL");
    tenant("suspended_at = now()");
    assert_eq!(switch(&ann, &own).is(403).code(), "suspended");
    // Whose account it is not is not told that either.
    assert_eq!(switch(&ann, &world.account("eve", "globex")), missing);
    tenant("suspended_at = NULL");
    assert_eq!(world.standing(), before);
    switch(&ann, &own).is(200);
    assert_ne!(world.standing(), before);
}

#[test]
fn i21_a_switch_is_a_post_of_our_own() {
    let world = World::shared();
    let account = world.account("ann", "globex");
    let mut ann = world.user("ann");
    ann.get("/api/session/account").is(405);
    ann.get(&format!("/api/session/account?account={account}"))
        .is(405);
    let site = |name: &'static str, value: &str| vec![(name, value.to_owned())];
    for foreign in [
        site("sec-fetch-site", "cross-site"),
        site("sec-fetch-site", "same-site"),
        site("origin", "https://evil.example"),
        site("origin", "null"),
    ] {
        ann.headers = foreign;
        assert_eq!(switch(&ann, &account).is(403).code(), "cross_site");
        ann.form("/switch", &[("account", &account)]).is(403);
    }
    ann.headers = Vec::new();
    assert_eq!(current(&ann.get("/api/session")), Value::Null);
    ann.headers = site("sec-fetch-site", "same-origin");
    switch(&ann, &account).is(200);
    ann.headers = Vec::new();
    assert_eq!(current(&ann.get("/api/session")), "globex");
}

#[test]
fn i23_a_stale_tab_writes_nothing() {
    let world = World::start(false);
    let (acme, globex) = (world.account("ann", "acme"), world.account("ann", "globex"));
    let mut ann = world.user("ann");
    let note = json!({ "title": "from a tab", "body": "" });
    let count = || world.one("SELECT count(*) FROM note");
    let before = count();
    for expected in [&globex, "", "nonsense", &acme.to_uppercase()] {
        ann.headers = vec![("expected-account", expected.to_owned())];
        let stale = ann.post("/api/tenants/acme/notes", &note).is(409);
        assert_eq!(stale.code(), "stale_account");
        ann.get("/api/tenants/acme/notes").is(409);
    }
    assert_eq!(count(), before);
    ann.headers = vec![("expected-account", acme)];
    ann.post("/api/tenants/acme/notes", &note).is(201);
    assert_ne!(count(), before);
}

/// 20 requests of the session are under way, each writing down that it was used, and one switch.
#[test]
fn i25_a_switch_survives_the_requests_beside_it() {
    let world = World::start(false);
    let ann = world.user("ann");
    let accounts = ["acme", "globex"].map(|slug| (slug, world.account("ann", slug)));
    for (round, (slug, account)) in accounts.iter().cycle().take(100).enumerate() {
        world.sql("UPDATE identity.session SET seen_at = now() - interval '10 minutes'");
        thread::scope(|scope| {
            for n in 0..20 {
                let ann = &ann;
                scope.spawn(move || {
                    let path = ["/api/session", "/api/tenants/acme/notes", "/t/globex"][n % 3];
                    ann.get(path).is(200);
                });
            }
            scope.spawn(|| {
                thread::sleep(Duration::from_micros(round as u64 % 20 * 300));
                switch(&ann, account).is(200);
            });
        });
        assert_eq!(current(&ann.get("/api/session")), *slug, "{round}");
    }
}

#[test]
fn i26_no_get_changes_a_session_or_a_membership() {
    let world = World::start(false);
    let ann = world.user("ann");
    let other = world.user("ann");
    let anonymous = world.anonymous();
    let sign_up = json!({ "email": "zoe@example.com", "name": "Zoe", "password": super::PASSWORD });
    anonymous.post("/api/users", &sign_up).is(202);
    anonymous
        .post("/api/users/reset", &json!({ "email": "bob@example.com" }))
        .is(202);
    let (verify, reset) = (world.link("zoe@example.com"), world.link("bob@example.com"));
    let session = other.get("/api/sessions").is(200).each("id").remove(0);
    let account = world.account("ann", "globex");
    let before = world.standing();
    for path in [
        "/".to_owned(),
        "/sign-in".to_owned(),
        "/sign-out".to_owned(),
        "/sign-up".to_owned(),
        format!("/verify?token={verify}"),
        "/forgotten".to_owned(),
        format!("/reset?token={reset}"),
        "/tenants".to_owned(),
        format!("/switch?account={account}"),
        "/sessions".to_owned(),
        "/sessions/others".to_owned(),
        format!("/sessions/{session}/revoke"),
        format!("/deactivate?password={}", world.password),
        "/t/globex".to_owned(),
        "/api/session".to_owned(),
        format!("/api/session/account?account={account}"),
        "/api/sessions".to_owned(),
        format!("/api/sessions/{session}"),
        "/api/users".to_owned(),
        format!("/api/users/verify?token={verify}"),
        format!("/api/users/reset/confirm?token={reset}&password=another+password"),
        "/api/users/deactivate".to_owned(),
        "/api/accounts".to_owned(),
        "/api/tenants".to_owned(),
        "/api/tenants/globex/notes".to_owned(),
    ] {
        for method in ["GET", "HEAD"] {
            for browser in [&ann, &anonymous] {
                let status = browser.send(method, &path, None).status;
                assert!(
                    matches!(status, 200 | 303 | 401 | 404 | 405),
                    "{path} {status}"
                );
                assert_eq!(world.standing(), before, "{method} {path}");
            }
        }
    }
    // The control: what each of them would do if it were a POST.
    anonymous
        .post("/api/users/verify", &json!({ "token": verify }))
        .is(201);
    switch(&ann, &account).is(200);
    ann.delete(&format!("/api/sessions/{session}")).is(204);
    assert_ne!(world.standing(), before);
}
