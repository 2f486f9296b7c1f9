//! Who changes a comment and who takes it away.

use serde_json::json;

use crate::{browser::Browser, world::World};

/// A note of acme, without comments.
fn note(bob: &Browser) -> String {
    let note = bob.post("/api/tenants/acme/notes", &json!({ "title": "c" }));
    let id = note.is(201).json()["id"].as_str().unwrap().to_owned();
    format!("/api/tenants/acme/notes/{id}")
}

fn comment(browser: &Browser, note: &str) -> String {
    let comment = browser.post(&format!("{note}/comments"), &json!({ "body": "first" }));
    let comment = comment.is(201).json();
    format!("{note}/comments/{}", comment["id"].as_str().unwrap())
}

#[test]
fn a_comment_is_its_authors() {
    let world = World::start(false);
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    world.give_role("ann", "acme", "member");
    let note = note(&bob);
    let (anns, bobs) = (comment(&ann, &note), comment(&bob, &note));
    let text = json!({ "body": "second" });
    assert_eq!(bob.patch(&bobs, &text).is(200).json()["body"], "second");
    assert_eq!(bob.get(&bobs).is(200).json()["body"], "second");
    bob.patch(&bobs, &json!({ "body": " " })).is(422);
    assert_eq!(bob.patch(&anns, &text).is(403).code(), "forbidden");
    bob.delete(&anns).is(403);
    assert_eq!(bob.get(&anns).is(200).json()["body"], "first");
    ann.delete(&bobs).is(403);
    bob.delete(&bobs).is(204);
    bob.get(&bobs).is(404);
    ann.delete(&anns).is(204);
}

#[test]
fn a_moderator_takes_a_comment_away_and_does_not_change_it() {
    let world = World::start(false);
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let comment = comment(&bob, &note(&bob));
    ann.patch(&comment, &json!({ "body": "second" })).is(403);
    assert_eq!(bob.get(&comment).is(200).json()["body"], "first");
    ann.delete(&comment).is(204);
    bob.get(&comment).is(404);
}

#[test]
fn whoever_may_no_longer_comment_changes_nothing() {
    let world = World::start(false);
    let bob = world.user("bob");
    let comment = comment(&bob, &note(&bob));
    world.give_role("bob", "acme", "viewer");
    bob.patch(&comment, &json!({ "body": "second" })).is(403);
    bob.delete(&comment).is(403);
    bob.get(&comment).is(200);
    world.give_role("bob", "acme", "member");
    bob.delete(&comment).is(204);
}

#[test]
fn the_page_offers_what_may_be_done() {
    let world = World::start(false);
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let (note, comment) = world.comment("acme");
    let page = format!("/t/acme/notes/{note}");
    let delete = format!("{page}/comments/{comment}/delete");
    // It is bob's, and ann moderates.
    assert!(bob.get(&page).is(200).body.contains(&delete));
    assert!(ann.get(&page).is(200).body.contains(&delete));
    world.give_role("ann", "acme", "member");
    assert!(!ann.get(&page).is(200).body.contains(&delete));
    ann.form(&delete, &[]).is(403);
    let gone = bob.form(&delete, &[]).is(303);
    assert_eq!(gone.location.as_deref(), Some(page.as_str()));
    assert!(!bob.get(&page).is(200).body.contains(&delete));
}
