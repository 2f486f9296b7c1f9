use serde_json::json;

use super::{Chrome, Tab, is_calm, sign_in};
use crate::world::World;

const BACKSPACE: &str = "\u{E003}";
const ESCAPE: char = '\u{E00C}';

/// Marks the page: the mark is gone once it is loaded anew.
fn mark(tab: &Tab) {
    tab.run("window.isMarked = true");
}

#[track_caller]
fn is_marked(tab: &Tab, wanted: bool) {
    assert_eq!(
        tab.run("return window.isMarked === true"),
        json!(wanted),
        "{}",
        tab.place()
    );
}

fn world() -> World {
    let world = World::start(false);
    let bob = world.user("bob");
    for n in 0..20 {
        let title = format!("Row {n:02}");
        bob.form(
            "/t/acme/notes",
            &[("title", &title), ("tags", "rows"), ("body", "")],
        )
        .is(303);
    }
    world
}

#[test]
fn lists_are_searched_filtered_and_paged_without_reloading() {
    let world = world();
    let chrome = Chrome::start();
    let ann = chrome.open(&world.url);
    sign_in(&ann, &world, "ann");
    ann.go("/t/acme");
    mark(&ann);
    // As the visitor's clock has it.
    ann.sees("#list time", "202");
    ann.sees_no("#list time", "-");

    ann.type_into("[name=q]", "boulders");
    ann.is_at("/t/acme?q=boulders");
    ann.sees("#list", "Stocktaking");
    ann.sees_no("#list", "Row 19");
    ann.sees("#status", "1 note.");
    assert_eq!(ann.focus(), "q");
    ann.type_into("[name=q]", &BACKSPACE.repeat(8));
    ann.sees("#list", "Row 19");
    is_marked(&ann, true);

    ann.press("warehouse");
    ann.sees(".tags [aria-current]", "warehouse");
    ann.sees_no("#list", "Row 19");
    ann.sees("#list", "Stocktaking");
    assert!(ann.place().contains("tag=warehouse"));
    assert!(ann.focus().starts_with("tag-"), "{}", ann.focus());
    // The tag holds while something else is looked for.
    ann.type_into("[name=q]", "row");
    ann.sees("#list", "Nothing found.");
    ann.type_into("[name=q]", &BACKSPACE.repeat(3));
    ann.sees("#list", "Stocktaking");
    ann.press("all");
    ann.sees("#list", "Row 19");
    is_marked(&ann, true);

    ann.press("Next page");
    ann.sees("#list", "Stocktaking");
    ann.sees_no("#list", "Row 19");
    assert!(ann.place().contains("after="));
    assert_eq!(ann.focus(), "list");
    is_marked(&ann, true);
    ann.back();
    ann.sees("#list", "Row 19");
    assert!(!ann.place().contains("after="));
    ann.back();
    ann.sees(".tags [aria-current]", "warehouse");
    // Nothing of what was read stays behind in the browser.
    let kept = ann.run("return JSON.stringify([{ ...sessionStorage }, { ...localStorage }])");
    assert!(!kept.to_string().contains("Stocktaking"), "{kept}");
    is_calm(&ann);
}

#[test]
fn comments_and_deletions_without_reloading() {
    let world = World::start(false);
    let note = format!("/t/acme/notes/{}", world.note("acme"));
    let chrome = Chrome::start();
    let ann = chrome.open(&world.url);
    sign_in(&ann, &world, "ann");
    ann.go(&note);
    mark(&ann);
    ann.type_into("[name=body]", "Said without reloading");
    ann.press("Comment");
    ann.sees("#comment-list", "Said without reloading");
    ann.sees("#commented", "Your comment is added.");
    assert_eq!(
        ann.run("return document.querySelector('[name=body]').value"),
        json!("")
    );
    ann.type_into("[name=body]", "   ");
    ann.press("Comment");
    ann.sees("#alerts", "The comment is empty.");
    assert_eq!(
        ann.run("return document.querySelector('[name=body]').value"),
        json!("   ")
    );
    ann.sees("#comment-list", "Said without reloading");
    is_marked(&ann, true);

    ann.press("Delete");
    ann.sees("dialog[open]", "Delete this note?");
    assert_eq!(
        ann.run("return document.activeElement.closest('dialog') !== null"),
        json!(true)
    );
    ann.key(ESCAPE);
    ann.sees_no("dialog", "Delete this note?");
    assert_eq!(ann.focus(), "delete");
    ann.press("Delete");
    ann.click("dialog [data-close]");
    ann.sees_no("dialog", "Delete this note?");
    assert_eq!(ann.place(), note);
    assert_eq!(
        world.one("SELECT count(*) FROM note WHERE title LIKE 'Welcome to Acme%'"),
        "1"
    );
    ann.press("Delete");
    ann.click("dialog .danger");
    ann.sees("#deleted", "The note is deleted.");
    ann.is_at("/t/acme");
    ann.sees_no("dialog", "Delete this note?");
    assert_eq!(ann.focus(), "deleted");
    is_marked(&ann, true);
    ann.reload();
    ann.sees("h1", "Notes");
    assert_eq!(ann.text("#deleted"), "");

    // The other note is gone in the meantime.
    let other = format!("/t/acme/notes/{}", world.note("acme"));
    ann.go(&other);
    world
        .user("bob")
        .form(&format!("{other}/delete"), &[])
        .is(303);
    ann.type_into("[name=body]", "Too late");
    ann.press("Comment");
    ann.sees("#alerts", "There is nothing here.");
    is_calm(&ann);
}

#[test]
fn whoever_was_signed_out_elsewhere_is_asked_to_sign_in() {
    let world = World::start(false);
    let chrome = Chrome::start();
    let ann = chrome.open(&world.url);
    sign_in(&ann, &world, "ann");
    ann.go("/t/acme");
    world.sql("DELETE FROM identity.session");
    ann.type_into("[name=q]", "x");
    ann.is_at("/sign-in");
    ann.sees("h1", "Sign in");
    is_calm(&ann);
}
