//! Comments are under notes, which are under tenants: whoever asks along another way finds nothing.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    browser::{Browser, Reply},
    world::{World, nothing},
};

const METHODS: [&str; 9] = [
    "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW",
];

/// Every address at or below a note, as programs and as people know it.
fn addresses(tenant: &str, note: &str, comment: &str) -> Vec<String> {
    let (json, page) = (
        format!("/api/tenants/{tenant}/notes/{note}"),
        format!("/t/{tenant}/notes/{note}"),
    );
    vec![
        json.clone(),
        format!("{json}/comments"),
        format!("{json}/comments/{comment}"),
        page.clone(),
        format!("{page}/edit"),
        format!("{page}/delete"),
        format!("{page}/comments"),
        format!("{page}/comments/{comment}/delete"),
    ]
}

/// Each with every method and with bodies that are good, broken and none.
fn all(browser: &Browser, addresses: &[String]) -> Vec<Reply> {
    let mut replies = Vec::new();
    for address in addresses {
        for method in METHODS {
            for body in ["", "{", r#"{ "title": "x", "body": "x" }"#] {
                replies.push(browser.raw(method, address, body));
            }
        }
    }
    replies
}

#[track_caller]
fn nothing_is_there(replies: &[Reply]) {
    for reply in replies {
        assert_eq!(
            (reply.status, reply.header("allow")),
            (404, None),
            "{reply:?}"
        );
    }
}

/// What a rightful visitor does at the same addresses.
fn reached(browser: &Browser, tenant: &str, note: &str, comment: &str) {
    let paths = addresses(tenant, note, comment);
    let text = json!({ "title": "x", "body": "x" });
    browser.get(&paths[0]).is(200);
    browser.patch(&paths[0], &text).is(200);
    browser.get(&paths[1]).is(200);
    let said = json!({ "body": "x" });
    browser.post(&paths[1], &said).is(201);
    browser.get(&paths[2]).is(200);
    browser.put(&paths[0], &text).is(405);
    // Who did not write it may not, and is told so.
    assert!([200, 403].contains(&browser.put(&paths[2], &said).status));
    for page in &paths[3..6] {
        browser.get(page).is(200);
    }
    browser
        .form(&paths[4], &[("title", "x"), ("body", "y")])
        .is(303);
    browser.form(&paths[6], &[("body", "x")]).is(303);
    browser.form(&paths[7], &[]).is(303);
    browser.get(&paths[2]).is(404);
    browser.form(&paths[5], &[]).is(303);
    browser.get(&paths[0]).is(404);
}

#[test]
fn i27_i40_i43_a_foreign_tenant_is_none() {
    let world = World::start(false);
    let (bob, nobody) = (world.user("bob"), world.anonymous());
    let (note, comment) = world.comment("globex");
    let before = world.written();
    let missing = all(&bob, &addresses(&nothing(), &nothing(), &nothing()));
    nothing_is_there(&missing);
    let foreign = addresses("globex", &note, &comment);
    assert_eq!(all(&bob, &foreign), missing);
    let by_id = addresses(&world.tenant("globex"), &note, &comment);
    assert_eq!(all(&bob, &by_id), missing);
    let stranger = all(&nobody, &addresses(&nothing(), &nothing(), &nothing()));
    for reply in &stranger {
        assert!(
            reply.status == 401 || reply.location.as_deref() == Some("/sign-in"),
            "{reply:?}"
        );
        assert_eq!(reply.header("allow"), None);
    }
    assert_eq!(all(&nobody, &foreign), stranger);
    assert_eq!(world.written(), before);
    reached(&world.user("eve"), "globex", &note, &comment);
    assert_ne!(world.written(), before);
}

#[test]
fn i28_i29_i30_a_row_of_another_parent_is_none() {
    let world = World::start(false);
    let bob = world.user("bob");
    let (note, comment) = world.comment("acme");
    let (foreign_note, foreign_comment) = world.comment("globex");
    let sibling = world.one(&format!(
        "SELECT n.id FROM note n JOIN identity.tenant t ON t.id = n.tenant_id \
         WHERE t.slug = 'acme' AND n.id <> '{note}' LIMIT 1"
    ));
    let before = world.written();
    // A foreign note, with every verb, and with what is below it.
    let missing = all(&bob, &addresses("acme", &nothing(), &nothing()));
    nothing_is_there(&missing);
    for below in [&foreign_comment, &comment] {
        assert_eq!(all(&bob, &addresses("acme", &foreign_note, below)), missing);
    }
    // A comment of another tenant, and one of a sibling.
    let at_comment = |note: &str, comment: &str| {
        let all = addresses("acme", note, comment);
        vec![all[2].clone(), all[7].clone()]
    };
    let missing = all(&bob, &at_comment(&note, &nothing()));
    nothing_is_there(&missing);
    for (note, comment) in [(&note, &foreign_comment), (&sibling, &comment)] {
        assert_eq!(all(&bob, &at_comment(note, comment)), missing);
    }
    // Not an empty list.
    let list = |note: &str| format!("/api/tenants/acme/notes/{note}/comments");
    assert_eq!(bob.get(&list(&foreign_note)).is(404).code(), "not_found");
    bob.post(&list(&foreign_note), &json!({ "body": "x" }))
        .is(404);
    assert_eq!(world.written(), before);
    assert_eq!(bob.get(&list(&note)).is(200).each("body").len(), 1);
    // The control deletes the comment, which is bob's own, and the note.
    reached(&bob, "acme", &note, &comment);
}

#[test]
fn i40_a_method_is_what_it_is() {
    let world = World::start(false);
    let (note, comment) = world.comment("acme");
    let paths = addresses("acme", &note, &comment);
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ] {
        let bob = world.user("bob").with(name, "DELETE");
        bob.get(&paths[0]).is(200);
        bob.post(&paths[1], &json!({ "body": "x" })).is(201);
        bob.get(&format!("{}?_method=DELETE", paths[0])).is(200);
        bob.get(&format!("{}?_method=DELETE", paths[2])).is(400);
    }
    let bob = world.user("bob");
    bob.get(&paths[2]).is(200);
    let odd = bob.send("BREW", &paths[2], None).is(405);
    let allowed = odd.header("allow");
    assert_eq!(allowed, Some("DELETE, GET, HEAD, OPTIONS, PATCH, PUT"));
    let asked = bob.send("OPTIONS", &paths[2], None).is(204);
    assert_eq!(asked.header("allow"), allowed);
    let head = bob.send("HEAD", &paths[2], None).is(200);
    assert_eq!(head.body, "");
    bob.delete(&paths[2]).is(204);
    bob.get(&paths[2]).is(404);
}

/// Other ways to write an id.
fn spellings(id: &str) -> Vec<String> {
    vec![
        id.to_uppercase(),
        id.replace('-', ""),
        format!("{{{id}}}"),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        id.replacen(
            id.chars().next().unwrap(),
            &format!("%{:02X}", id.as_bytes()[0]),
            1,
        ),
        id.replacen('-', "%2D", 1),
        format!("{id}%20"),
        format!("{id}."),
        "x".to_owned(),
    ]
}

#[test]
fn i41_an_id_has_one_spelling() {
    let world = World::start(false);
    let ann = world.user("ann");
    let (note, comment) = world.comment("acme");
    let account = world.account("bob", "acme");
    let role = json!({ "name": "i41" });
    let role = ann.post("/api/tenants/acme/roles", &role).is(201).json();
    let group = json!({ "name": "i41" });
    let group = ann.post("/api/tenants/acme/groups", &group).is(201).json();
    let invitation = json!({ "email": "dee@example.com", "role": "viewer" });
    let invitation = ann.post("/api/tenants/acme/invitations", &invitation);
    let invitation = invitation.is(201).json();
    let key = json!({ "name": "i41", "permissions": ["note.read"] });
    let key = ann.post("/api/tenants/acme/api-keys", &key).is(201).json();
    world.user("ann");
    let session = ann.get("/api/sessions").is(200).json();
    let session = session["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|session| session["is_current"] == false)
        .unwrap()
        .clone();
    let id = |thing: &serde_json::Value| thing["id"].as_str().unwrap().to_owned();
    let tenant = "/api/tenants/acme";
    for (before, id, after, method, status) in [
        (format!("{tenant}/notes/"), note.clone(), "", "GET", 200),
        (
            format!("{tenant}/notes/"),
            note.clone(),
            "/comments",
            "GET",
            200,
        ),
        (
            format!("{tenant}/notes/{note}/comments/"),
            comment,
            "",
            "GET",
            200,
        ),
        (format!("{tenant}/members/"), account, "", "GET", 200),
        (format!("{tenant}/roles/"), id(&role), "", "DELETE", 204),
        (format!("{tenant}/groups/"), id(&group), "", "DELETE", 204),
        (
            format!("{tenant}/invitations/"),
            id(&invitation),
            "",
            "DELETE",
            204,
        ),
        (format!("{tenant}/api-keys/"), id(&key), "", "DELETE", 204),
        ("/api/sessions/".to_owned(), id(&session), "", "DELETE", 204),
        ("/t/acme/notes/".to_owned(), note.clone(), "", "GET", 200),
    ] {
        let missing = ann.raw(method, &format!("{before}{}{after}", nothing()), "");
        for odd in spellings(&id) {
            let path = format!("{before}{odd}{after}");
            assert_eq!(ann.raw(method, &path, ""), missing, "{method} {path}");
        }
        assert_eq!(missing.status, 404, "{missing:?}");
        ann.raw(method, &format!("{before}{id}{after}"), "")
            .is(status);
    }
}

#[test]
fn i42_a_path_is_not_interpreted() {
    let world = World::shared();
    let ann = world.user("ann");
    let note = world.note("acme");
    let missing = ann.raw("GET", &format!("/api/tenants/acme/notes/{}", nothing()), "");
    for path in [
        "/api/tenants/acme/notes/../notes",
        "/api/tenants/globex/../acme/notes",
        "/api/tenants/globex/%2e%2e/acme/notes",
        "/api/tenants/./acme/notes",
        "/api/tenants/%2e/notes",
        "/api/tenants/acme/notes/..",
        "/api/tenants/acme/notes/.",
        "/api/tenants/acme/notes/%2e%2e",
        "/api/tenants/acme%2fnotes",
        "/api/tenants/acme%2Fnotes/comments",
        "/api//tenants/acme/notes",
        "/api/tenants//acme/notes",
        "/api/tenants/acme//notes",
        "/api/tenants/acme/notes/",
        "/api/tenants/acme;x/notes",
        "/api/tenants/acme/notes;x",
        "/api/tenants/acme;/notes",
        "/api/tenants/acme%00/notes",
        "/api/tenants/%61cme/notes",
        "/api/tenants/acme%20/notes",
        "/api/tenants/ACME/notes",
        &format!("/api/tenants/acme/notes/{note};x"),
        &format!("/api/tenants/acme/notes/{note}%00"),
        &format!("/api/tenants/acme/notes/{note}%2f"),
        &format!("/api/tenants/acme/notes/{note}%2fcomments"),
        &format!("/api/tenants/acme/notes/{note}%FF"),
        &format!("/api/tenants/acme/notes/{note}%"),
        &format!("/api/tenants/acme/notes/{note}%zz"),
        &format!("/api/tenants/acme/notes/{note}//comments"),
    ] {
        let reply = ann.raw("GET", path, "");
        assert_eq!((reply.status, &reply.body), (404, &missing.body), "{path}");
    }
    ann.raw("GET", "/api/tenants/acme/notes", "").is(200);
    ann.raw(
        "GET",
        &format!("/api/tenants/acme/notes/{note}/comments"),
        "",
    )
    .is(200);
}

#[test]
fn what_the_path_names_is_found_before_a_permission_is_asked_for() {
    let world = World::shared();
    let bob = world.user("bob");
    let known = world.account("ann", "acme");
    let foreign = world.account("eve", "globex");
    let member = |id: &str| format!("/api/tenants/acme/members/{id}");
    let missing = bob.delete(&member(&nothing())).is(404);
    assert_eq!(bob.delete(&member(&foreign)), missing);
    assert_eq!(bob.patch(&member(&foreign), &json!({})), missing);
    let refused = bob.delete(&member(&known)).is(403);
    assert_eq!(refused.code(), "forbidden");
    assert!(!refused.body.contains("member.write"), "{}", refused.body);
    bob.get(&member(&known)).is(200);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn i45_foreign_and_random_take_the_same_time() {
    let world = World::start(false);
    let bob = world.user("bob");
    let (note, comment) = world.comment("acme");
    let (foreign_note, foreign_comment) = world.comment("globex");
    let globex = world.tenant("globex");
    let notes = "/api/tenants/acme/notes";
    let measured = |path: &str| {
        let started = Instant::now();
        bob.get(path).is(404);
        started.elapsed()
    };
    type Address<'a> = Box<dyn Fn(&str) -> String + 'a>;
    let of_tenant: Address<'_> = Box::new(|id| format!("/api/tenants/{id}/notes"));
    let of_note: Address<'_> = Box::new(|id| format!("{notes}/{id}"));
    let of_comment: Address<'_> = Box::new(|id| format!("{notes}/{note}/comments/{id}"));
    for (address, foreign) in [
        (of_tenant, globex),
        (of_note, foreign_note),
        (of_comment, foreign_comment),
    ] {
        let (mut theirs, mut random) = (Vec::new(), Vec::new());
        for _ in 0..150 {
            theirs.push(measured(&address(&foreign)));
            random.push(measured(&address(&nothing())));
        }
        let (theirs, random) = (median(theirs), median(random));
        let (less, more) = (theirs.min(random), theirs.max(random));
        assert!(
            more < less * 3 / 2 + Duration::from_millis(1),
            "{}: {theirs:?} and {random:?}",
            address("…")
        );
    }
    // The control: the same addresses have something for bob.
    bob.get(&format!("{notes}/{note}/comments/{comment}"))
        .is(200);
}
