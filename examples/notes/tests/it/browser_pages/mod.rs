//! The pages in a real browser, with and without scripts.

mod chrome;
mod ending;
mod every_page;
mod live;
mod scripts;
mod tab;
mod tabs;
mod without_scripts;

use chrome::Chrome;
use tab::Tab;

use crate::world::World;

/// Goes to where one signs in, and does.
fn sign_in(tab: &Tab, world: &World, name: &str) {
    tab.go("/sign-in");
    tab.type_into("[name=email]", &format!("{name}@example.com"));
    tab.type_into("[name=password]", &world.password);
    tab.press("Sign in");
    tab.sees_one("form[action='/sign-out']");
}

/// What nobody would call a complaint: the status of an answer that is a page of its own, or that
/// `pages.js` shows, and that of a stream for which one is no longer signed in.
fn is_expected(complaint: &str) -> bool {
    complaint.contains("Failed to load resource: the server responded with a status of 4")
}

/// Nothing was complained about.
#[track_caller]
fn is_calm(tab: &Tab) {
    let complaints = tab.complaints();
    let others: Vec<_> = complaints.iter().filter(|one| !is_expected(one)).collect();
    assert!(others.is_empty(), "{}: {others:#?}", tab.place());
}
