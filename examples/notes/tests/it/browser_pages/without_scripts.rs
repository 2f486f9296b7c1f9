use super::{Chrome, is_calm, sign_in};
use crate::world::World;

/// All that can be done, done without a script.
#[test]
fn everything_works_without_scripts() {
    let world = World::start(false);
    let chrome = Chrome::start();
    let ann = chrome.open_without_scripts(&world.url);

    ann.go("/t/acme");
    ann.is_at("/sign-in");
    ann.type_into("[name=email]", "ann@example.com");
    ann.type_into("[name=password]", "wrong");
    ann.press("Sign in");
    ann.sees(".problem", "The e-mail address or the password is wrong.");
    assert!(ann.title().starts_with("Problem: "));
    sign_in(&ann, &world, "ann");
    ann.press("Acme Corporation acme");
    ann.is_at("/t/acme");
    ann.sees("h1", "Notes");
    ann.sees(".tabs [aria-current=page]", "Notes");
    // Scripts are off: they would have put the date into words.
    ann.sees("#list time", "-");

    ann.press("New note");
    ann.type_into("[name=title]", "Catapults");
    ann.type_into("[name=body]", "Two of them.");
    ann.type_into("[name=tags]", "siege, wood");
    ann.press("Save");
    ann.sees("h1", "Catapults");
    ann.sees("#saved", "The note is saved.");
    ann.sees(".crumbs", "Acme Corporation\nNotes\nCatapults");
    let note = ann.place();
    let note = note.strip_suffix("#saved").unwrap();
    assert_eq!(ann.text("#commented"), "");

    ann.press("Edit");
    ann.fill("[name=title]", " ");
    ann.press("Save");
    ann.sees("#title-problem", "The title is empty.");
    assert_eq!(ann.focus(), "title");
    assert_eq!(ann.count("[name=title][aria-describedby=title-problem]"), 1);
    ann.fill("[name=title]", "Catapult");
    ann.press("Save");
    ann.sees("h1", "Catapult");

    ann.type_into("[name=body]", "One is broken.");
    ann.press("Comment");
    ann.is_at(&format!("{note}#commented"));
    ann.sees("#commented", "Your comment is added.");
    ann.sees(".comments", "One is broken.");

    ann.press("Notes");
    ann.type_into("[name=q]", "catapult");
    ann.press("Search");
    ann.is_at("/t/acme?q=catapult");
    assert_eq!(ann.count(".notes li"), 1);
    ann.press("siege");
    ann.is_at("/t/acme?tag=siege&q=catapult");
    ann.sees(".tags [aria-current]", "siege");
    assert_eq!(ann.count(".notes li"), 1);
    ann.fill("[name=q]", "nothing like this");
    ann.press("Search");
    ann.sees("#list", "Nothing found.");
    ann.press("Show all notes");
    ann.sees("#list", "Stocktaking");

    ann.press("Catapult");
    ann.press("Delete");
    ann.is_at(&format!("{note}/delete"));
    ann.press("Keep it");
    ann.is_at(note);
    ann.press("Delete");
    ann.press("Delete");
    ann.is_at("/t/acme#deleted");
    ann.sees("#deleted", "The note is deleted.");
    ann.sees_no("#list", "Catapult");
    ann.go(note);
    ann.sees(".problem", "There is nothing here.");
    ann.go("/t/acme");

    ann.press("Members");
    ann.sees(".tabs [aria-current=page]", "Members");
    ann.press("Roles of Bob");
    ann.click(".rows li:nth-child(2) label:nth-of-type(4) input");
    ann.click(".more[open] button");
    ann.is_at("/t/acme/members#changed");
    ann.sees("#changed", "The member is changed.");
    ann.sees(".rows li:nth-child(2)", "member, viewer");

    ann.press("Roles");
    ann.type_into("[name=name]", "press");
    ann.click("[value='note.create']");
    ann.press("Make the role");
    ann.sees("#made", "The role is there.");
    ann.sees(".rows", "press");
    ann.press("Delete… press");
    ann.press("Delete press");
    ann.sees("#deleted", "The role is deleted.");
    ann.sees_no(".rows", "press");

    ann.press("Invitations");
    ann.type_into("[name=email]", "cem@example.com");
    ann.fill("[name=role]", "king");
    ann.press("Invite");
    ann.sees("#role-problem", "There is no such role.");
    ann.fill("[name=role]", "viewer");
    ann.press("Invite");
    ann.sees("#sent", "The invitation is on its way.");
    ann.sees(".rows", "cem@example.com");
    ann.press("Take back from cem@example.com");
    ann.sees("#revoked", "The invitation is taken back.");
    ann.sees(".empty", "Nobody is invited.");

    ann.click(".menu:first-child > summary");
    ann.press("All your tenants");
    ann.press("Globex Industries globex");
    ann.is_at("/t/globex");
    ann.sees(".menu summary", "Globex Industries");
    assert_eq!(ann.count("a[href$='/new'], a[href$='/invitations']"), 0);
    is_calm(&ann);

    ann.click(".menu.right > summary");
    ann.press("Sign out");
    ann.is_at("/sign-in");
    ann.go("/t/globex");
    ann.is_at("/sign-in");
}

/// Whoever has just commented sees the comment, however many there are, and finds the way back.
#[test]
fn a_comment_on_the_second_page() {
    let world = World::start(false);
    let note = world.note("acme");
    let bob = world.user("bob");
    for n in 0..25 {
        bob.form(
            &format!("/t/acme/notes/{note}/comments"),
            &[("body", &format!("Comment {n:02}"))],
        )
        .is(303);
    }
    let last = bob.form(
        &format!("/t/acme/notes/{note}/comments"),
        &[("body", "The last one")],
    );
    let shown = bob.get(&last.location.unwrap()).is(200).body;
    assert!(shown.contains("The last one") && !shown.contains("Comment 24"));
    assert!(shown.contains("Earlier comments"));
    let first = bob.get(&format!("/t/acme/notes/{note}")).is(200).body;
    assert!(first.contains("Comment 00") && !first.contains("Earlier comments"));
}
