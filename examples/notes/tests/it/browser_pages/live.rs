use std::{thread::sleep, time::Duration};

use serde_json::json;

use super::{Chrome, is_calm, sign_in};
use crate::world::{World, nothing};

/// Stands in for the browser's stream, so that a test says what comes and when.
const STREAM: &str = "
    window.streams = [];
    window.EventSource = class extends EventTarget {
        constructor(address) { super(); window.streams.push(this); this.address = address; }
        close() { this.isClosed = true; }
    };
    window.tell = (type, data) =>
        streams.at(-1).dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }));
    window.asked = 0;
    document.addEventListener('htmx:beforeRequest', () => { window.asked += 1; });
";

#[test]
fn other_peoples_changes_are_shown() {
    let world = World::start(false);
    let id = world.note("acme");
    let note = format!("/t/acme/notes/{id}");
    let chrome = Chrome::start();
    let ann = chrome.open(&world.url);
    let bob = world.user("bob");
    sign_in(&ann, &world, "ann");
    ann.run_first(STREAM);
    ann.go(&note);
    assert_eq!(
        ann.run("return streams[0].address"),
        json!("/t/acme/events")
    );
    ann.run("tell('ready', {}); window.isMarked = true");
    ann.type_into("[name=body]", "Half a sent");
    bob.form(&format!("{note}/comments"), &[("body", "Bob was faster")])
        .is(303);
    let change = [("title", "A better title"), ("body", "x"), ("tags", "")];
    bob.form(&format!("{note}/edit"), &change).is(303);
    ann.run("tell('comment', { op: 'insert', id: 'x' })");
    ann.sees("#comment-list", "Bob was faster");
    // One part of the page was read again, and the other not: nothing was said of it.
    ann.sees_no("#note h1", "A better title");
    ann.run(&format!(
        "tell('note', {{ op: 'update', id: '{}' }})",
        nothing()
    ));
    ann.run("tell('something', { op: 'many' })");
    ann.run(&format!("tell('note', {{ op: 'update', id: '{id}' }})"));
    ann.sees("#note h1", "A better title");
    assert_eq!(ann.run("return asked"), json!(2));
    // What is being written stays, and so does the place where it is.
    assert_eq!(ann.focus(), "body");
    ann.type_into("[name=body]", "ence");
    assert_eq!(
        ann.run("return document.activeElement.value"),
        json!("Half a sentence")
    );
    assert_eq!(ann.run("return window.isMarked"), json!(true));

    ann.go("/t/acme?q=fresh");
    ann.sees("#list", "Nothing found.");
    let fields = [("title", "Something fresh"), ("body", ""), ("tags", "")];
    bob.form("/t/acme/notes", &fields).is(303);
    ann.run("tell('note', { op: 'many' })");
    ann.sees("#list", "Something fresh");
    assert_eq!(ann.count(".notes li"), 1);
    assert_eq!(ann.place(), "/t/acme?q=fresh");
    let fields = [("title", "As fresh"), ("body", ""), ("tags", "")];
    bob.form("/t/acme/notes", &fields).is(303);
    ann.run("tell('resync', {})");
    ann.sees("#list", "As fresh");

    // Nobody listens for what nobody looks at, and whoever looks again is told what they have missed.
    ann.run("dispatchEvent(new Event('pagehide'))");
    assert_eq!(ann.run("return streams[0].isClosed"), json!(true));
    let fields = [("title", "Fresh while away"), ("body", ""), ("tags", "")];
    bob.form("/t/acme/notes", &fields).is(303);
    ann.run("dispatchEvent(new Event('pageshow')); tell('ready', {})");
    ann.sees("#list", "Fresh while away");
    assert_eq!(ann.run("return streams.length"), json!(2));
    is_calm(&ann);

    // A note that is gone, and a session that has ended, are told and take nothing away.
    ann.go(&note);
    ann.type_into("[name=body]", "Not sent yet");
    bob.form(&format!("{note}/delete"), &[]).is(303);
    ann.run("tell('note', { op: 'many' })");
    ann.sees("#alerts", "There is nothing here.");
    world.sql("DELETE FROM identity.session");
    ann.run("tell('comment', { op: 'many' })");
    ann.sees("#alerts", "You are signed out.");
    assert_eq!(
        ann.run("return document.querySelector('[name=body]').value"),
        json!("Not sent yet")
    );
    assert_eq!(ann.place(), note);
    is_calm(&ann);
}

/// How often a part of the page is read again from now on.
const COUNT: &str = "
    window.asked = 0;
    addEventListener('htmx:beforeRequest', () => { window.asked += 1; });
";

/// By the stream itself: in a second, in this tenant, and for as long as one belongs to it.
#[test]
fn the_stream_reaches_those_who_may_hear_it() {
    let world = World::start(false);
    let note = format!("/t/acme/notes/{}", world.note("acme"));
    let chrome = Chrome::start();
    let (ann, bob) = (chrome.open(&world.url), chrome.open(&world.url));
    sign_in(&ann, &world, "ann");
    sign_in(&bob, &world, "bob");
    ann.go(&note);
    ann.sees_one("main[data-listening]");
    ann.run("window.isMarked = true");
    ann.run(COUNT);
    bob.go(&note);
    bob.type_into("[name=body]", "Can you see this?");
    bob.press("Comment");
    ann.sees("#comment-list", "Can you see this?");
    assert_eq!(
        ann.run("return [window.isMarked, window.asked]"),
        json!([true, 1])
    );
    bob.press("Edit");
    bob.fill("[name=title]", "Edited by Bob");
    bob.press("Save");
    ann.sees("#note h1", "Edited by Bob");

    // Another tenant's changes are none of hers.
    ann.go("/t/acme");
    ann.sees_one("main[data-listening]");
    ann.run(COUNT);
    let write = |name: &str, tenant: &str, title: &str| {
        let fields = [("title", title), ("body", ""), ("tags", "")];
        world
            .user(name)
            .form(&format!("/t/{tenant}/notes"), &fields)
            .is(303);
    };
    write("eve", "globex", "Not for Acme");
    sleep(Duration::from_secs(1));
    assert_eq!(ann.run("return window.asked"), json!(0));
    write("bob", "acme", "For Acme");
    ann.sees("#list", "For Acme");
    ann.sees_no("#list", "Not for Acme");
    is_calm(&ann);
    is_calm(&bob);
}
