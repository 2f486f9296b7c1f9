use super::{Chrome, is_calm, sign_in};
use crate::world::World;

/// The address says which tenant, whatever another tab has switched to.
#[test]
fn two_tabs_in_two_tenants() {
    let world = World::start(false);
    let chrome = Chrome::start();
    let ann = chrome.open(&world.url);
    sign_in(&ann, &world, "ann");
    ann.press("Acme Corporation acme");
    ann.is_at("/t/acme");
    let first = ann.this_tab();
    let second = ann.new_tab();
    ann.go("/");
    ann.is_at("/t/acme");

    // By the menu, which lists the tenants when it is opened.
    ann.click(".menu:first-child > summary");
    ann.sees(".sheet", "Acme Corporation");
    ann.sees_no(".sheet", "Initech");
    ann.press("Globex Industries globex");
    ann.is_at("/t/globex");
    ann.sees("#list", "Hammock");
    assert_eq!(ann.count("a[href$='/new']"), 0);

    ann.to_tab(&first);
    ann.press("New note");
    ann.type_into("[name=title]", "From the first tab");
    ann.press("Save");
    ann.sees("#saved", "The note is saved.");
    assert!(ann.place().starts_with("/t/acme/notes/"));
    ann.to_tab(&second);
    ann.reload();
    ann.sees("h1", "Notes");
    ann.sees_no("#list", "From the first tab");
    ann.sees(".menu summary", "Globex Industries");
    let owner = "SELECT t.slug FROM note n JOIN identity.tenant t ON t.id = n.tenant_id \
                 WHERE n.title = 'From the first tab'";
    assert_eq!(world.sql(owner), ["acme"]);

    ann.click(".menu.right > summary");
    ann.press("Sign out");
    ann.is_at("/sign-in");
    ann.to_tab(&first);
    ann.reload();
    ann.is_at("/sign-in");
    is_calm(&ann);
}
