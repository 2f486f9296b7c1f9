//! The pages, as a browser without scripts uses them.

use crate::world::World;

#[test]
fn a_visit() {
    let world = World::start(true);
    let mut ann = world.anonymous();
    assert_eq!(ann.get("/").is(303).location.as_deref(), Some("/sign-in"));
    assert_eq!(
        ann.get("/t/acme").is(303).location.as_deref(),
        Some("/sign-in")
    );
    assert!(ann.get("/sign-in").is(200).body.contains("Password"));
    let wrong = ann
        .form(
            "/sign-in",
            &[("email", "ann@example.com"), ("password", "x")],
        )
        .is(401);
    assert!(wrong.body.contains("is wrong") && wrong.body.contains("ann@example.com"));
    let signed_in = ann.form(
        "/sign-in",
        &[("email", "ann@example.com"), ("password", &world.password)],
    );
    assert_eq!(signed_in.location.as_deref(), Some("/"));
    ann.keep(&signed_in);
    assert_eq!(ann.get("/").is(303).location.as_deref(), Some("/tenants"));
    let tenants = ann.get("/tenants").is(200).body;
    assert!(tenants.contains("acme") && tenants.contains("globex") && !tenants.contains("initech"));
    let acme = world.account("ann", "acme");
    let switched = ann.form("/switch", &[("account", &acme)]).is(303);
    assert_eq!(switched.location.as_deref(), Some("/t/acme"));
    assert_eq!(ann.get("/").is(303).location.as_deref(), Some("/t/acme"));
    ann.form("/switch", &[("account", &world.account("bob", "acme"))])
        .is(404);
    assert_eq!(ann.get("/").is(303).location.as_deref(), Some("/t/acme"));
    assert!(ann.get("/t/acme").is(200).body.contains("/t/acme/sql"));

    let hostile = "<script>alert(1)</script> \"quoted\" & 'x'";
    let fields = [("title", hostile), ("body", hostile), ("tags", "<i>, two")];
    let note = ann.form("/t/acme/notes", &fields).is(303).location.unwrap();
    ann.form(&format!("{note}/comments"), &[("body", hostile)])
        .is(303);
    for path in [
        note.clone(),
        format!("{note}/edit"),
        format!("{note}/delete"),
        "/t/acme".to_owned(),
        "/t/acme?tag=%3Ci%3E&q=%22%3E%3Cscript%3E".to_owned(),
    ] {
        let body = ann.get(&path).is(200).body;
        assert!(
            !body.contains("<script>") && !body.contains("<i>"),
            "{path}: {body}"
        );
    }
    assert!(
        ann.get("/t/acme?q=alert(1)")
            .body
            .contains("&#60;script&#62;")
    );

    let empty = ann
        .form(&format!("{note}/edit"), &[("title", " "), ("body", "kept")])
        .is(422)
        .body;
    assert!(empty.contains("The title is empty") && empty.contains("kept"));
    ann.form(
        &format!("{note}/edit"),
        &[("title", "Better"), ("body", ""), ("tags", "")],
    )
    .is(303);
    let shown = ann.get(&note).is(200).body;
    assert!(shown.contains("Better") && !shown.contains("alert(1)</h1>"));
    assert_eq!(
        ann.form(&format!("{note}/delete"), &[])
            .is(303)
            .location
            .as_deref(),
        Some("/t/acme")
    );
    ann.get(&note).is(404);

    let out = ann.form("/sign-out", &[]).is(303);
    assert_eq!(out.location.as_deref(), Some("/sign-in"));
    ann.get("/t/acme").is(303);
}

#[test]
fn pages_of_a_list() {
    let world = World::start(false);
    let bob = world.user("bob");
    for n in 0..20 {
        bob.form(
            "/t/acme/notes",
            &[("title", &format!("Row {n:02}")), ("body", "")],
        )
        .is(303);
    }
    let first = bob.get("/t/acme").is(200).body;
    assert!(first.contains("Row 19") && first.contains("Row 00") && !first.contains("Stocktaking"));
    let after = first
        .split("&after=")
        .nth(1)
        .or_else(|| first.split("&#38;after=").nth(1))
        .unwrap();
    let after = after.split('"').next().unwrap();
    let second = bob.get(&format!("/t/acme?after={after}")).is(200).body;
    assert!(
        second.contains("Stocktaking")
            && !second.contains("Row 00")
            && second.contains("First page")
    );
}

#[test]
fn what_an_account_may_not_do_is_not_offered() {
    let world = World::start(true);
    let ann = world.user("ann");
    let (own, viewed) = (world.note("acme"), world.note("globex"));
    let offers = ["/new", "/edit", "/delete", "/comments", "/sql"];
    let shown = |slug: &str, note: &str| {
        let list = ann.get(&format!("/t/{slug}")).is(200).body;
        list + &ann.get(&format!("/t/{slug}/notes/{note}")).is(200).body
    };
    let all = shown("acme", &own);
    let few = shown("globex", &viewed);
    for offer in offers {
        assert!(all.contains(&format!("{offer}\"")), "{offer}");
        assert!(!few.contains(&format!("{offer}\"")), "{offer}");
    }
    let rows = "SELECT md5(string_agg(n::text, '' ORDER BY id)) FROM note n";
    let before = world.one(rows);
    for path in ["new", "sql", &format!("notes/{viewed}/edit")] {
        let page = ann.get(&format!("/t/globex/{path}")).is(403);
        assert!(page.body.contains("Not for you"), "{}", page.body);
    }
    let fields = [("title", "x"), ("body", "y"), ("sql", "SELECT 1")];
    for path in ["edit", "delete", "comments"] {
        ann.form(&format!("/t/globex/notes/{viewed}/{path}"), &fields)
            .is(403);
    }
    ann.form("/t/globex/notes", &fields).is(403);
    ann.form("/t/globex/sql", &fields).is(403);
    assert_eq!(world.one(rows), before);
}

/// A problem is a page for whoever takes pages, and stays a problem for whoever does not.
#[test]
fn problems_are_pages_for_people() {
    let world = World::shared();
    for accepted in ["text/html,application/xhtml+xml", "*/*"] {
        let visitor = world.anonymous().with("accept", accepted);
        let page = visitor.get("/nowhere").is(404);
        assert!(
            page.body.contains("There is nothing here."),
            "{}",
            page.body
        );
        visitor.get("/t/acme").is(303);
    }
    let program = world.anonymous().with("accept", "text/event-stream");
    assert_eq!(program.get("/nowhere").is(404).code(), "not_found");
    assert_eq!(program.get("/t/acme").is(401).location, None);
}
