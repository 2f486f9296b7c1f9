//! Every page, on a desk and on a phone, there in light and in dark: looked at by axe, for whether it fits
//! and for what the browser complains about.

use serde_json::{Value, json};

use super::{Chrome, Tab, is_calm, sign_in, tab::wait_for};
use crate::world::World;

/// By Deque, for tests only: it is not part of the application.
const AXE: &str = include_str!("../../assets/axe.min.js");

const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    axe.run(document, { runOnly: tags, resultTypes: ['violations'] }).then(
        ({ violations, passes }) => done({
            checked: passes.length,
            violations: violations.map(({ id, help, nodes }) =>
                `${id}: ${help}: ${nodes.map((node) => node.html).join(' ')}`),
        }),
        (error) => done({ checked: 0, violations: [String(error)] }),
    );
";

/// What is too small to be hit with a finger: 24 CSS pixels are asked for, but for links in a text.
const SMALL: &str = "
    return [...document.querySelectorAll('a, button, input, textarea, summary')]
        .filter((one) => one.checkVisibility() && getComputedStyle(one).display !== 'inline')
        .filter((one) => !one.matches('.skip') && !one.closest('label:has(> [type=checkbox])'))
        .map((one) => [one, one.getBoundingClientRect()])
        .filter(([, { width, height }]) => width < 24 || height < 24)
        .map(([one]) => one.outerHTML);
";

/// How many pixels a page is wider than the screen. A phone's window is no measure: it widens with the
/// page.
const EXCESS: &str = "return document.documentElement.scrollWidth - screen.width";

fn violations(tab: &Tab) -> Vec<String> {
    let found = tab.run_async(RUN_AXE);
    assert!(
        found["checked"].as_u64() > Some(5),
        "axe has checked nothing: {found}"
    );
    let found = found["violations"].as_array().unwrap().iter();
    found.map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// Looks at the page that is open.
#[track_caller]
fn look(tab: &Tab, heading: &str) {
    tab.sees("h1", heading);
    // Colours are the same on a desk, where all else is looked at once.
    let is_phone = tab.run("return screen.width") == 360;
    let schemes: &[&str] = if is_phone {
        &["light", "dark"]
    } else {
        &["light"]
    };
    for scheme in schemes {
        tab.prefer(scheme);
        let found = violations(tab);
        assert!(found.is_empty(), "{} in {scheme}: {found:#?}", tab.place());
        keep_picture(tab, scheme);
    }
    let small = tab.run(SMALL);
    assert_eq!(small, json!([]), "{}", tab.place());
    let excess = tab.run(EXCESS).as_i64().unwrap();
    assert!(excess <= 0, "{} is {excess} too wide", tab.place());
    is_calm(tab);
}

/// For whoever wants to see them: `PARTYWALL_PICTURES=FOLDER`.
fn keep_picture(tab: &Tab, scheme: &str) {
    let Some(folder) = std::env::var_os("PARTYWALL_PICTURES") else {
        return;
    };
    let wide = tab.run("return innerWidth");
    let place = tab
        .place()
        .replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    let place: String = place.chars().take(60).collect();
    let name = format!("{wide}{place}-{scheme}.png.base64");
    std::fs::write(std::path::Path::new(&folder).join(name), tab.picture()).unwrap();
}

fn open<'a>(chrome: &'a Chrome, world: &World, is_phone: bool) -> (Tab, &'a Chrome) {
    let tab = chrome.open(&world.url);
    tab.run_first(AXE);
    // Nothing of a page is swapped while it is looked at.
    tab.run_first("delete window.EventSource");
    tab.prefer("light");
    match is_phone {
        true => tab.screen(360, 740, true),
        false => tab.screen(1280, 800, false),
    }
    (tab, chrome)
}

fn visit_outside(is_phone: bool) {
    let world = World::start(false);
    let chrome = Chrome::start();
    let (tab, _) = open(&chrome, &world, is_phone);
    let invited = world.user("ann").post(
        "/api/tenants/acme/invitations",
        &json!({ "email": "cem@example.com", "role": "viewer" }),
    );
    assert!(invited.status < 300, "{}", invited.body);
    let mail = world.mail("cem@example.com");
    let (_, text) = mail.last().unwrap();
    let link = text.split_once("/invitation?token=").unwrap().1;
    let token: String = link.chars().take(64).collect();
    for (path, heading) in [
        ("/sign-in", "Sign in"),
        ("/sign-up", "Sign up"),
        ("/forgotten", "Forgotten password"),
        ("/reset?token=x", "Choose a new password"),
        ("/verify?token=x", "Is this your address?"),
        (
            &format!("/invitation?token={token}"),
            "Join Acme Corporation",
        ),
        ("/invitation?token=x", "That did not fit"),
        ("/dev/mail", "Mail"),
        ("/nowhere", "Not found"),
    ] {
        tab.go(path);
        look(&tab, heading);
    }
    tab.go("/sign-in");
    tab.type_into("[name=email]", "ann@example.com");
    tab.type_into("[name=password]", "wrong");
    tab.press("Sign in");
    tab.sees(".problem", "is wrong");
    look(&tab, "Sign in");
    tab.go("/forgotten");
    tab.type_into("[name=email]", "someone@example.com");
    tab.press("Send the link");
    look(&tab, "Look into your mail");
    tab.go("/sign-up");
    tab.type_into("[name=email]", "zoe@localhost@example.com");
    tab.type_into("[name=name]", "Zoe");
    tab.type_into("[name=password]", "          ");
    tab.run("document.querySelector('main form').noValidate = true");
    tab.click("main button");
    tab.sees("#email-problem", "This is not an e-mail address.");
    look(&tab, "Sign up");
}

fn visit_inside(is_phone: bool) {
    let world = World::start(true);
    let note = world.note("acme");
    let bob = world.user("bob");
    let long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
    for n in 0..20 {
        let title = format!("{long} {n}");
        bob.form(
            "/t/acme/notes",
            &[("title", &title), ("tags", "long"), ("body", long)],
        )
        .is(303);
    }
    let chrome = Chrome::start();
    let (ann, _) = open(&chrome, &world, is_phone);
    sign_in(&ann, &world, "ann");
    look(&ann, "Hello, Ann");
    ann.go("/sessions");
    ann.sees(".rows", "Chrome");
    look(&ann, "Where you are signed in");

    ann.go("/t/acme");
    look(&ann, "Notes");
    ann.click(".menu:first-child > summary");
    ann.sees(".sheet", "Globex");
    look(&ann, "Notes");
    ann.go("/t/acme?q=nothing+like+this");
    ann.sees("#list", "Nothing found.");
    look(&ann, "Notes");
    ann.go("/t/acme");
    ann.click("#list h2 a");
    look(&ann, long);
    ann.go("/t/acme/new");
    look(&ann, "New note");
    ann.type_into("[name=title]", " ");
    ann.press("Save");
    ann.sees("#title-problem", "The title is empty.");
    look(&ann, "New note");
    ann.go(&format!("/t/acme/notes/{note}"));
    ann.type_into("[name=body]", "A comment");
    ann.press("Comment");
    ann.sees("#commented", "Your comment is added.");
    look(&ann, "");
    ann.type_into("[name=body]", " ");
    ann.press("Comment");
    ann.sees("#alerts", "The comment is empty.");
    ann.press("Delete");
    ann.sees("dialog", "Delete this note?");
    look(&ann, "");
    for (path, heading) in [("edit", "Edit note"), ("delete", "Delete this note?")] {
        ann.go(&format!("/t/acme/notes/{note}/{path}"));
        look(&ann, heading);
    }

    ann.go("/t/acme/members");
    look(&ann, "Members");
    ann.run("for (const one of document.querySelectorAll('details.more')) one.open = true");
    look(&ann, "Members");
    ann.go("/t/acme/roles");
    ann.type_into("[name=name]", "press");
    ann.press("Make the role");
    ann.sees("#made", "The role is there.");
    look(&ann, "Roles");
    ann.go("/t/acme/invitations");
    look(&ann, "Invitations");
    ann.type_into("[name=email]", "cem@example.com");
    ann.press("Invite");
    ann.sees("#sent", "on its way");
    look(&ann, "Invitations");
    ann.go("/t/acme/keys");
    ann.type_into("[name=name]", "nightly");
    ann.click("[value='note.read']");
    ann.press("Make the key");
    ann.sees("[role=status].card", "Your new key");
    look(&ann, "Keys");
    ann.go("/t/acme/audit");
    look(&ann, "Audit log");
    ann.go("/t/acme/sql");
    ann.press("Run");
    ann.sees("table", "Stocktaking");
    look(&ann, "SQL playground");
    ann.fill("[name=sql]", "SELECT nonsense");
    ann.press("Run");
    ann.sees("#sql-problem", "42703");
    look(&ann, "SQL playground");

    // Who only reads sees less, and is told so.
    ann.go("/t/globex");
    look(&ann, "Notes");
    ann.go("/t/globex/members");
    look(&ann, "Members");
    ann.go("/t/globex/invitations");
    look(&ann, "Not for you");
}

#[test]
fn outside_on_a_desk() {
    visit_outside(false);
}

#[test]
fn outside_on_a_phone() {
    visit_outside(true);
}

#[test]
fn inside_on_a_desk() {
    visit_inside(false);
}

#[test]
fn inside_on_a_phone() {
    visit_inside(true);
}

/// What is looked for is found where it is.
#[test]
fn faults_are_found() {
    let world = World::shared();
    let chrome = Chrome::start();
    let (tab, _) = open(&chrome, world, true);
    tab.go("/sign-in");
    look(&tab, "Sign in");
    let add = |html: &str| {
        let script = format!(
            "document.querySelector('main').insertAdjacentHTML('beforeend', {})",
            json!(html)
        );
        tab.run(&script);
    };
    tab.prefer("light");
    add("<input id=nameless><p id=pale>pale</p>");
    tab.run("document.getElementById('pale').style.color = '#bbb'");
    let found = violations(&tab).join("\n");
    assert!(
        found.contains("label: ") && found.contains("color-contrast: "),
        "{found}"
    );
    assert_eq!(tab.run(SMALL), json!([]));
    add("<button id=tiny></button>");
    tab.run("const { style } = document.getElementById('tiny'); style.cssText = 'min-height: 0; height: 20px'");
    assert_ne!(tab.run(SMALL), json!([]));
    assert!(tab.run(EXCESS).as_i64() <= Some(0));
    add("<pre id=wide>wide</pre>");
    tab.run("document.getElementById('wide').style.width = '900px'");
    assert!(tab.run(EXCESS).as_i64() > Some(0));
    // The policy lets no script of a page's own run, and the browser says so.
    assert!(tab.complaints().is_empty());
    add("<img src=x onerror='window.isRun = true'>");
    tab.run("const script = document.createElement('script'); script.textContent = 'window.isRun = true'; document.body.append(script)");
    let complaint = wait_for(|| {
        let found = tab
            .complaints()
            .into_iter()
            .find(|one| one.contains("Content Security Policy"));
        found.ok_or("no complaint")
    });
    assert!(!super::is_expected(&complaint), "{complaint}");
    assert_eq!(tab.run("return window.isRun ?? null"), Value::Null);
}
