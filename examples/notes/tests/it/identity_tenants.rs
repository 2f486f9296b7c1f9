//! Tenants and their people over HTTP: I46–I54, I68, I69.

use std::{
    io::Read as _,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Reply},
    command::run,
    world::{World, folder, nothing},
};

fn member(world: &World, name: &str) -> String {
    format!("/api/tenants/acme/members/{}", world.account(name, "acme"))
}

/// Puts somebody into acme, past all invitations.
fn join(world: &World, name: &str, builtin: &str) {
    world.sql(&format!(
        "INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) \
         SELECT gen_random_uuid(), t.id, u.id, u.name, u.email, now() \
         FROM identity.tenant t, identity.\"user\" u \
         WHERE t.slug = 'acme' AND u.email = '{name}@example.com'"
    ));
    world.give_role(name, "acme", builtin);
}

fn add(browser: &Browser, what: &str, body: &Value) -> String {
    let reply = browser.post(&format!("/api/tenants/acme/{what}"), body);
    reply.is(201).json()["id"].as_str().unwrap().to_owned()
}

fn is(reply: Reply, status: u16, code: &str) {
    assert_eq!(reply.is(status).code(), code);
}

#[test]
fn a_tenant_is_created_changed_and_deleted() {
    let world = World::start(false);
    let bob = world.user("bob");
    let made = bob
        .post("/api/tenants", &json!({ "name": "Hooli", "slug": "hooli" }))
        .is(201)
        .json();
    let id = made["id"].as_str().unwrap();
    assert!(
        bob.get("/api/tenants")
            .each("slug")
            .contains(&"hooli".to_owned())
    );
    bob.post("/api/tenants/hooli/notes", &json!({ "title": "first" }))
        .is(201);
    for (slug, status, code) in [
        ("hooli", 409, "taken"),
        ("Hooli", 422, "invalid"),
        ("www", 422, "invalid"),
    ] {
        let again = bob.post("/api/tenants", &json!({ "name": "x", "slug": slug }));
        assert_eq!(again.json()["field"], "slug");
        is(again, status, code);
    }
    let changed = bob
        .patch(
            "/api/tenants/hooli",
            &json!({ "name": "Hooli XYZ", "seats": 3 }),
        )
        .is(200)
        .json();
    assert_eq!(
        (&changed["name"], &changed["seats"]),
        (&json!("Hooli XYZ"), &json!(3))
    );
    let changed = bob
        .patch("/api/tenants/hooli", &json!({ "seats": null }))
        .is(200)
        .json();
    assert_eq!(
        (&changed["name"], &changed["seats"]),
        (&json!("Hooli XYZ"), &Value::Null)
    );
    // bob is a member of acme and no more, and nobody in globex.
    is(
        bob.patch("/api/tenants/acme", &json!({ "name": "x" })),
        403,
        "forbidden",
    );
    is(bob.delete("/api/tenants/acme"), 403, "forbidden");
    let missing = bob.delete(&format!("/api/tenants/{}", nothing())).is(404);
    assert_eq!(bob.delete("/api/tenants/globex"), missing);
    bob.delete("/api/tenants/hooli").is(204);
    bob.get("/api/tenants/hooli").is(404);
    bob.get(&format!("/api/tenants/{id}")).is(404);
    assert!(
        !bob.get("/api/tenants")
            .each("slug")
            .contains(&"hooli".to_owned())
    );
    // Back under another slug, with what was in it.
    let restore = format!("/api/tenants/{id}/restore");
    let body = json!({ "slug": "hooli-2" });
    world.user("eve").post(&restore, &body).is(404);
    bob.post(&restore, &body).is(204);
    assert_eq!(
        bob.get("/api/tenants/hooli-2/notes").each("title"),
        ["first"]
    );
    bob.post(&restore, &body).is(404);
}

#[test]
fn i46_a_revoked_role_is_refused_from_the_next_request() {
    let world = World::start(false);
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let note = json!({ "title": "i46" });
    bob.post("/api/tenants/acme/notes", &note).is(201);
    let view = ann
        .patch(&member(&world, "bob"), &json!({ "roles": ["viewer"] }))
        .is(200)
        .json();
    assert_eq!(view["roles"][0]["name"], "viewer");
    is(bob.post("/api/tenants/acme/notes", &note), 403, "forbidden");
    bob.get("/api/tenants/acme/notes").is(200);
    ann.patch(&member(&world, "bob"), &json!({ "roles": ["member"] }))
        .is(200);
    bob.post("/api/tenants/acme/notes", &note).is(201);
}

#[test]
fn i47_a_removed_member_is_nobody_there_and_somebody_elsewhere() {
    let world = World::start(false);
    join(&world, "ivy", "owner");
    let (ann, ivy) = (world.user("ann"), world.user("ivy"));
    ann.post("/api/tenants/acme/notes", &json!({ "title": "i47" }))
        .is(201);
    ivy.delete(&member(&world, "ann")).is(204);
    let missing = ann
        .get(&format!("/api/tenants/{}/notes", nothing()))
        .is(404);
    assert_eq!(ann.get("/api/tenants/acme/notes"), missing);
    ann.get("/api/tenants/globex/notes").is(200);
    // What she wrote stays hers.
    let found = ivy.get("/api/tenants/acme/notes?q=i47").is(200).json();
    assert_eq!(found["items"][0]["author"], "Ann");
    assert!(
        !ivy.get("/api/tenants/acme/members")
            .each("name")
            .contains(&"Ann".to_owned())
    );
}

#[test]
fn i48_a_write_in_flight_is_not_committed_after_the_removal() {
    let world = World::start(false);
    let ann = world.user("ann");
    let (mut written, mut refused) = (0, 0);
    for round in 0..8 {
        let (bob, path) = (world.user("bob"), member(&world, "bob"));
        let title = format!("i48-{round}");
        let begun = AtomicUsize::new(0);
        let answers = std::thread::scope(|scope| {
            // Each writes until it is refused.
            let write = || {
                let mut answers = Vec::new();
                while answers.last() != Some(&404) && answers.len() < 1_000 {
                    let answer = bob.post("/api/tenants/acme/notes", &json!({ "title": title }));
                    answers.push(answer.status);
                    begun.fetch_add(1, Ordering::Relaxed);
                }
                answers
            };
            let writers: Vec<_> = (0..6).map(|_| scope.spawn(write)).collect();
            // A little later each time, and not before something was written in every second round.
            std::thread::sleep(std::time::Duration::from_millis(round * 3));
            while round % 2 == 1 && begun.load(Ordering::Relaxed) == 0 {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            ann.delete(&path).is(204);
            // The removal has answered: nothing is committed from here on.
            let then = world.one(&format!(
                "SELECT count(*) FROM note WHERE title = '{title}'"
            ));
            let answers: Vec<u16> = writers
                .into_iter()
                .flat_map(|writer| writer.join().unwrap())
                .collect();
            let now = world.one(&format!(
                "SELECT count(*) FROM note WHERE title = '{title}'"
            ));
            assert_eq!(then, now, "round {round}");
            answers
        });
        let done = answers.iter().filter(|status| **status == 201).count();
        assert!(
            answers.iter().all(|status| [201, 404].contains(status)),
            "{answers:?}"
        );
        assert_eq!(
            world.one(&format!(
                "SELECT count(*) FROM note WHERE title = '{title}'"
            )),
            done.to_string()
        );
        written += done;
        refused += answers.len() - done;
        bob.get("/api/tenants/acme/notes").is(404);
        // Invited again.
        join(&world, "bob", "member");
    }
    assert!(written > 0 && refused > 0, "{written} {refused}");
}

#[test]
fn i50_an_owner_elsewhere_is_nobody_here() {
    let world = World::start(false);
    let (eve, ann) = (world.user("eve"), world.user("ann"));
    let missing = eve
        .get(&format!("/api/tenants/{}/members", nothing()))
        .is(404);
    assert_eq!(eve.get("/api/tenants/acme/members"), missing);
    // ann owns acme and views globex.
    is(ann.delete("/api/tenants/globex"), 403, "forbidden");
    is(ann.get("/api/tenants/globex/export"), 403, "forbidden");
    ann.get("/api/tenants/globex/members").is(200);
    eve.get("/api/tenants/globex/members").is(200);
}

#[test]
fn i51_what_is_another_tenants_is_nothing_here() {
    let world = World::start(false);
    let (ann, eve) = (world.user("ann"), world.user("eve"));
    let of_globex = eve
        .post("/api/tenants/globex/groups", &json!({ "name": "editors" }))
        .is(201)
        .json();
    let of_globex = of_globex["id"].as_str().unwrap();
    let bob = world.account("bob", "acme");
    let body = json!({ "members": [bob] });
    let group = |id: &str| format!("/api/tenants/acme/groups/{id}");
    let missing = ann.patch(&group(&nothing()), &body).is(404);
    assert_eq!(ann.patch(&group(of_globex), &body), missing);
    is(
        eve.patch(&format!("/api/tenants/globex/groups/{of_globex}"), &body),
        422,
        "invalid",
    );
    let foreign = world.one(
        "SELECT r.id FROM identity.role r JOIN identity.tenant t ON t.id = r.tenant_id \
         WHERE t.slug = 'globex' AND r.builtin = 'viewer'",
    );
    for role in [foreign, nothing()] {
        is(
            ann.patch(&member(&world, "bob"), &json!({ "roles": [role] })),
            422,
            "invalid",
        );
    }
    let eves = world.account("eve", "globex");
    let path = |id: &str| format!("/api/tenants/acme/members/{id}");
    let change = json!({ "active": false });
    let missing = ann.patch(&path(&nothing()), &change).is(404);
    for id in [&eves, "x", &bob.to_uppercase()] {
        assert_eq!(ann.patch(&path(id), &change), missing, "{id}");
    }
    let own = add(&ann, "groups", &json!({ "name": "editors" }));
    ann.patch(&group(&own), &body).is(204);
}

#[test]
fn i52_nobody_grants_what_they_do_not_hold() {
    let world = World::start(false);
    join(&world, "ivy", "admin");
    let (ann, ivy) = (world.user("ann"), world.user("ivy"));
    let power = add(
        &ann,
        "roles",
        &json!({ "name": "power", "permissions": ["tenant.delete"] }),
    );
    let weak = add(&ivy, "roles", &json!({ "name": "weak" }));
    let group = add(&ivy, "groups", &json!({ "name": "group" }));
    let role = |id: &str| format!("/api/tenants/acme/roles/{id}");
    let refused = [
        ivy.post(
            "/api/tenants/acme/roles",
            &json!({ "name": "x", "permissions": ["tenant.delete"] }),
        ),
        ivy.post(
            "/api/tenants/acme/roles",
            &json!({ "name": "x", "includes": ["power"] }),
        ),
        ivy.patch(&role(&weak), &json!({ "permissions": ["tenant.export"] })),
        ivy.patch(&role(&power), &json!({ "permissions": [] })),
        ivy.delete(&role(&power)),
        ivy.patch(
            &format!("/api/tenants/acme/groups/{group}"),
            &json!({ "roles": ["power"] }),
        ),
        ivy.patch(&member(&world, "bob"), &json!({ "roles": ["owner"] })),
        ivy.patch(
            &member(&world, "ivy"),
            &json!({ "roles": ["admin", "power"] }),
        ),
        ivy.patch(&member(&world, "ann"), &json!({ "active": false })),
        ivy.delete(&member(&world, "ann")),
        ivy.put(
            &(member(&world, "bob") + "/grants/tenant.delete"),
            &json!({}),
        ),
        ivy.post(
            "/api/tenants/acme/invitations",
            &json!({ "email": "x@example.com", "role": "owner" }),
        ),
    ];
    for reply in refused {
        is(reply, 403, "grants_more");
    }
    // The controls.
    ivy.patch(&role(&weak), &json!({ "permissions": ["note.create"] }))
        .is(204);
    ivy.patch(&member(&world, "bob"), &json!({ "roles": ["admin"] }))
        .is(200);
    ivy.put(&(member(&world, "bob") + "/grants/note.read"), &json!({}))
        .is(204);
    ivy.delete(&(member(&world, "bob") + "/grants/note.read"))
        .is(204);
    ann.patch(
        &member(&world, "bob"),
        &json!({ "roles": ["power", "member"] }),
    )
    .is(200);
    let who = ann
        .get("/api/tenants/acme/who?permission=tenant.delete")
        .is(200);
    let mut names = who.each("name");
    names.sort();
    assert_eq!(names, ["Ann", "Bob"]);
    is(
        ann.get("/api/tenants/acme/who?permission=note.fly"),
        422,
        "invalid",
    );
    ann.delete(&role(&power)).is(204);
    assert_eq!(
        ann.get("/api/tenants/acme/who?permission=tenant.delete")
            .each("name"),
        ["Ann"]
    );
}

#[test]
fn i53_the_last_owner_stays() {
    let world = World::start(false);
    let ann = world.user("ann");
    let own = member(&world, "ann");
    let leave = "/api/tenants/acme/leave";
    for reply in [
        ann.patch(&own, &json!({ "roles": ["admin"] })),
        ann.patch(&own, &json!({ "active": false })),
        ann.delete(&own),
        ann.post(leave, &json!({})),
    ] {
        is(reply, 409, "last_owner");
    }
    // Two owners who demote each other at once: one is left.
    for round in 0..20 {
        if round == 0 {
            join(&world, "ivy", "owner");
        }
        world.give_role("ann", "acme", "owner");
        world.give_role("ivy", "acme", "owner");
        let ivy = world.user("ivy");
        let (anns, ivys) = (member(&world, "ann"), member(&world, "ivy"));
        let admin = json!({ "roles": ["admin"] });
        let (one, two) = std::thread::scope(|scope| {
            let one = scope.spawn(|| ann.patch(&ivys, &admin).status);
            let two = scope.spawn(|| ivy.patch(&anns, &admin).status);
            (one.join().unwrap(), two.join().unwrap())
        });
        assert!(
            [(200, 403), (403, 200)].contains(&(one, two)),
            "{one} {two}"
        );
        let owners = world.one(
            "SELECT count(*) FROM identity.account_role ar JOIN identity.role r ON r.id = ar.role_id \
             JOIN identity.tenant t ON t.id = r.tenant_id WHERE t.slug = 'acme' AND r.builtin = 'owner'",
        );
        assert_eq!(owners, "1");
    }
    // The control: with another owner she may leave.
    world.give_role("ann", "acme", "owner");
    world.give_role("ivy", "acme", "owner");
    ann.post(leave, &json!({})).is(204);
    ann.get("/api/tenants/acme").is(404);
}

#[test]
fn i54_ownership_is_handed_over_in_one_step() {
    let world = World::start(false);
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let transfer = "/api/tenants/acme/transfer";
    let to = |account: &str| json!({ "account": account });
    let bobs = world.account("bob", "acme");
    is(bob.post(transfer, &to(&bobs)), 403, "forbidden");
    let missing = ann.post(transfer, &to(&nothing())).is(404);
    assert_eq!(
        ann.post(transfer, &to(&world.account("eve", "globex"))),
        missing
    );
    ann.post(transfer, &to(&bobs)).is(204);
    let roles = |name: &str| {
        let view = bob.get(&member(&world, name)).is(200).json();
        view["roles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|role| role["name"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(roles("ann"), ["admin"]);
    assert!(roles("bob").contains(&json!("owner")));
    is(ann.post(transfer, &to(&bobs)), 403, "forbidden");
    let actions = bob.get("/api/tenants/acme/audit").is(200).each("action");
    assert_eq!(actions[0], "tenant.transferred");
}

#[test]
fn i68_a_suspended_tenant_is_shut_to_members_and_nothing_to_others() {
    let world = World::start(false);
    let (sue, ann, eve) = (world.user("sue"), world.user("ann"), world.user("eve"));
    let acme = world.tenant("acme");
    let suspend = format!("/api/staff/tenants/{acme}/suspend");
    let resume = format!("/api/staff/tenants/{acme}/resume");
    let missing = eve
        .get(&format!("/api/tenants/{}/notes", nothing()))
        .is(404);
    for browser in [&ann, &eve] {
        assert_eq!(browser.post(&suspend, &json!({})), missing);
    }
    sue.post(
        &format!("/api/staff/tenants/{}/suspend", nothing()),
        &json!({}),
    )
    .is(404);
    ann.get("/api/tenants/acme/notes").is(200);
    sue.post(&suspend, &json!({})).is(200);
    for path in [
        "/api/tenants/acme/notes",
        "/api/tenants/acme/members",
        "/api/tenants/acme",
    ] {
        is(ann.get(path), 403, "suspended");
        assert_eq!(eve.get(path), missing);
    }
    ann.get("/api/tenants/globex/notes").is(200);
    sue.post(&resume, &json!({})).is(200);
    ann.get("/api/tenants/acme/notes").is(200);
    let actions = ann.get("/api/tenants/acme/audit").is(200).each("action");
    assert_eq!(actions[..2], ["tenant.resumed", "tenant.suspended"]);
}

#[test]
fn i69_a_deleted_tenant_shows_nothing_under_its_slug() {
    let world = World::start(false);
    let (ann, bob, eve) = (world.user("ann"), world.user("bob"), world.user("eve"));
    let old = world.tenant("acme");
    ann.delete("/api/tenants/acme").is(204);
    let missing = bob
        .get(&format!("/api/tenants/{}/notes", nothing()))
        .is(404);
    for path in [
        "/api/tenants/acme/notes".to_owned(),
        format!("/api/tenants/{old}/notes"),
    ] {
        assert_eq!(bob.get(&path), missing, "{path}");
        assert_eq!(ann.get(&path), missing, "{path}");
    }
    eve.post("/api/tenants", &json!({ "name": "New", "slug": "acme" }))
        .is(201);
    assert_eq!(
        eve.get("/api/tenants/acme/notes").is(200).json()["items"],
        json!([])
    );
    assert_eq!(eve.get("/api/tenants/acme/members").each("name"), ["Eve"]);
    for browser in [&ann, &bob] {
        assert_eq!(browser.get("/api/tenants/acme/notes"), missing);
    }
    // When its time is over all of it is gone.
    world.sql(&format!(
        "UPDATE identity.tenant SET delete_after = now() WHERE id = '{old}'"
    ));
    let ran = run(&world.place, &["--purge"], &[]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "1 tenants removed\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("public.note"), "{}", ran.stderr);
    assert_eq!(
        world.one(&format!(
            "SELECT count(*) FROM note WHERE tenant_id = '{old}'"
        )),
        "0"
    );
    eve.get("/api/tenants/acme/notes").is(200);
}

#[test]
fn a_tenants_file_leads_back_to_it() {
    let world = World::start(false);
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    is(bob.get("/api/tenants/acme/export"), 403, "forbidden");
    let reply = ann.get("/api/tenants/acme/export").is(200);
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(
        reply.header("content-disposition"),
        Some("attachment; filename=\"acme.jsonl\"")
    );
    assert!(!reply.body.contains(&world.tenant("globex")) && !reply.body.contains("$argon2"));
    let folder = folder("tenant-file");
    let (sent, written) = (folder.join("sent.jsonl"), folder.join("written.jsonl"));
    std::fs::write(&sent, &reply.body).unwrap();
    let file = |option: &str, file: &std::path::Path, slug: &str, more: &[&str]| {
        let mut arguments = vec![option, file.to_str().unwrap(), "--tenant", slug];
        arguments.extend(more);
        run(&world.place, &arguments, &[])
    };
    let ran = file("--import-tenant", &sent, "copy", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("2 people have their accounts"),
        "{}",
        ran.stdout
    );
    let titles = |slug: &str| {
        ann.get(&format!("/api/tenants/{slug}/notes"))
            .is(200)
            .each("title")
    };
    assert_eq!(titles("copy"), titles("acme"));
    bob.get("/api/tenants/copy/notes").is(200);
    // The command writes the same rows, and a file that is not whole leaves nothing.
    let ran = file("--export-tenant", &written, "acme", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines = |text: &str| text.lines().filter(|line| line.contains("public.")).count();
    let text = std::fs::read_to_string(&written).unwrap();
    assert_eq!(lines(&text), lines(&reply.body));
    let (most, _) = reply.body.split_at(reply.body.len() - 20);
    std::fs::write(&sent, most).unwrap();
    let ran = file(
        "--import-tenant",
        &sent,
        "cut",
        &["--owner", "ivy@example.com"],
    );
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert_eq!(world.tenant("cut"), "");
    let ran = file(
        "--import-tenant",
        &written,
        "with-ivy",
        &["--owner", "ivy@example.com"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    world
        .user("ivy")
        .get("/api/tenants/with-ivy/members")
        .is(200);
    let ran = file("--export-tenant", &written, "nowhere", &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
}

#[test]
fn members_and_roles_have_pages() {
    let world = World::start(false);
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let page = ann.get("/t/acme/members").is(200).body;
    assert!(
        page.contains("bob@example.com") && page.contains("Remove Bob"),
        "{page}"
    );
    let page = bob.get("/t/acme/members").is(200).body;
    assert!(
        page.contains("ann@example.com") && !page.contains("Remove"),
        "{page}"
    );
    let bobs = world.account("bob", "acme");
    let viewer = world.one(
        "SELECT r.id FROM identity.role r JOIN identity.tenant t ON t.id = r.tenant_id \
         WHERE t.slug = 'acme' AND r.builtin = 'viewer'",
    );
    let fields = [("role", viewer.as_str()), ("active", "yes")];
    let path = format!("/t/acme/members/{bobs}");
    ann.form(&path, &fields).is(303);
    is_forbidden(&bob.form(&path, &fields));
    bob.post("/api/tenants/acme/notes", &json!({ "title": "x" }))
        .is(403);
    // What keeps from a change is told on the page.
    let own = format!("/t/acme/members/{}", world.account("ann", "acme"));
    let told = ann.form(&own, &fields).is(409).body;
    assert!(told.contains("needs an owner"), "{told}");
    let role = [
        ("name", "press"),
        ("permission", "note.create"),
        ("includes", viewer.as_str()),
    ];
    ann.form("/t/acme/roles", &role).is(303);
    let page = ann.get("/t/acme/roles").is(200).body;
    assert!(
        page.contains("press") && page.contains("all of viewer, note.create"),
        "{page}"
    );
    ann.form("/t/acme/roles", &role).is(409);
    is_forbidden(&bob.form("/t/acme/roles", &role));
    bob.form("/t/acme/leave", &[]).is(303);
    bob.get("/t/acme/members").is(404);
}

fn is_forbidden(reply: &Reply) {
    assert_eq!(reply.status, 403, "{}", reply.body);
}

/// Reads an answer slowly, and does something when its beginning was read. Tells what came in all.
fn read_slowly(browser: &Browser, path: &str, then: impl FnOnce()) -> String {
    let mut stream = browser.open(path);
    let mut read = vec![0; 64 * 1024];
    let begun = stream.read(&mut read).unwrap();
    let mut all = read[..begun].to_vec();
    then();
    stream.read_to_end(&mut all).unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn i49_a_stream_ends_when_its_reader_is_removed() {
    let recheck = Duration::from_millis(300);
    let world = World::tuned(|settings| settings.recheck = recheck);
    world.give_role("bob", "acme", "owner");
    // More than all buffers on the way hold.
    world.sql(
        "INSERT INTO note (id, tenant_id, title, body, author, created_at, updated_at) \
         SELECT gen_random_uuid(), t.id, 'long', repeat('x', 4000), 'Bob', now(), now() \
         FROM identity.tenant t, generate_series(1, 15000) WHERE t.slug = 'acme'",
    );
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let rest = || std::thread::sleep(recheck * 2);
    // The control: whoever stays gets all of it, however slowly.
    let whole = read_slowly(&bob, "/api/tenants/acme/export", rest);
    assert!(whole.contains("{\"rows\":{"), "{} bytes", whole.len());
    let removed = read_slowly(&bob, "/api/tenants/acme/export", || {
        ann.delete(&member(&world, "bob")).is(204);
        rest();
    });
    assert!(
        removed.starts_with("HTTP/1.1 200") && !removed.contains("{\"rows\":{"),
        "{} bytes",
        removed.len()
    );
    assert!(removed.len() < whole.len() / 2, "{} bytes", removed.len());
}
