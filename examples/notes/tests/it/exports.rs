//! The job that exports a tenant's notes, from the button to the file.

use std::time::{Duration, Instant};

use notes::{Database, Place, Serving};
use partywall::identity::Mailer;

use crate::{
    browser::{Browser, Reply},
    world::{World, nothing, query, runtime},
};

/// Presses the button, and tells the address of the page that it leads to.
fn wanted(browser: &Browser, slug: &str) -> String {
    let page = browser.form(&format!("/t/{slug}/exports"), &[]).is(303);
    page.location.unwrap()
}

/// The file, once the page says that it is ready.
fn file(browser: &Browser, page: &str) -> Reply {
    until(|| browser.get(page).is(200).body.contains("The file is ready"));
    browser.get(&format!("{page}/notes.csv")).is(200)
}

#[track_caller]
fn until(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "the job is not done");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The ids of a tenant's notes, or of those of all others.
fn notes(world: &World, slug: &str, is_own: bool) -> Vec<String> {
    let is = if is_own { "=" } else { "<>" };
    world.sql(&format!(
        "SELECT n.id FROM note n JOIN identity.tenant t ON t.id = n.tenant_id \
         WHERE t.slug {is} '{slug}'"
    ))
}

#[test]
fn an_export_holds_the_tenants_notes_and_no_others() {
    let world = World::start(false);
    let before = world.written();
    for (name, slug) in [("bob", "acme"), ("eve", "globex")] {
        let browser = world.user(name);
        assert!(
            browser
                .get(&format!("/t/{slug}"))
                .body
                .contains("Export notes")
        );
        let file = file(&browser, &wanted(&browser, slug));
        assert_eq!(file.header("cache-control"), Some("no-store"));
        let kind = file.header("content-type").unwrap();
        assert!(kind.starts_with("text/csv"), "{kind}");
        let (own, others) = (notes(&world, slug, true), notes(&world, slug, false));
        assert!(!own.is_empty() && !others.is_empty());
        assert!(own.iter().all(|id| file.body.contains(id)), "{}", file.body);
        assert!(!others.iter().any(|id| file.body.contains(id)));
        // The remark of globex is not for everybody who may export.
        assert!(!file.body.contains("remark"));
    }
    assert_eq!(world.written(), before);
    assert_eq!(world.one("SELECT count(*) FROM export"), "2");
    let ended = "SELECT string_agg(DISTINCT state, ',') FROM jobs.job";
    assert_eq!(world.one(ended), "done");
}

#[test]
fn a_foreign_export_is_none() {
    let world = World::start(false);
    let (bob, eve) = (world.user("bob"), world.user("eve"));
    let page = wanted(&bob, "acme");
    let id = page.rsplit('/').next().unwrap().to_owned();
    file(&bob, &page);
    for end in ["", "/notes.csv"] {
        let at = |slug: &str, id: &str| eve.get(&format!("/t/{slug}/exports/{id}{end}"));
        let missing = at("globex", &nothing());
        assert_eq!(missing.status, 404);
        assert_eq!(at("globex", &id), missing);
        assert_eq!(at("acme", &id).status, 404);
    }
    eve.form("/t/acme/exports", &[]).is(404);
    // The control.
    bob.get(&page).is(200);
    assert_eq!(world.one("SELECT count(*) FROM export"), "1");
}

#[test]
fn a_job_of_one_tenant_does_not_write_another_ones_export() {
    let world = World::start(false);
    let (bob, eve) = (world.user("bob"), world.user("eve"));
    let (bobs, eves) = (wanted(&bob, "acme"), wanted(&eve, "globex"));
    file(&bob, &bobs);
    file(&eve, &eves);
    let id = |page: &str| page.rsplit('/').next().unwrap().to_owned();
    let hash = |page: &str| {
        let id = id(page);
        world.one(&format!(
            "SELECT md5(csv), ctid FROM export WHERE id = '{id}'"
        ))
    };
    let (before_bobs, before_eves) = (hash(&bobs), hash(&eves));
    let again = |export: &str| {
        let of_acme = "tenant_id = (SELECT id FROM identity.tenant WHERE slug = 'acme')";
        world.sql(&format!(
            "UPDATE jobs.job SET state = 'waiting', attempts = 0, ended_at = NULL, lease = NULL, \
             due_at = now(), payload = '{{\"export\": \"{}\"}}' WHERE {of_acme}",
            id(export)
        ));
        let state = format!("SELECT state FROM jobs.job WHERE {of_acme}");
        until(|| world.one(&state) == "done");
    };
    // A job of acme's that names the export of globex.
    again(&eves);
    assert_eq!(hash(&eves), before_eves);
    // The control: the same job with its own tenant's is written.
    again(&bobs);
    assert_ne!(hash(&bobs), before_bobs);
}

#[test]
fn whoever_may_no_longer_export_gets_nothing() {
    let world = World::start(false);
    let bob = world.user("bob");
    let page = wanted(&bob, "acme");
    file(&bob, &page);
    world.give_role("bob", "acme", "viewer");
    assert!(!bob.get("/t/acme").is(200).body.contains("Export notes"));
    bob.form("/t/acme/exports", &[]).is(403);
    bob.get(&page).is(403);
    bob.get(&format!("{page}/notes.csv")).is(403);
    world.give_role("bob", "acme", "member");
    bob.get(&format!("{page}/notes.csv")).is(200);
}

/// A server of its own, to be stopped.
fn serve(database: &Database, place: &Place) -> (Serving, Browser) {
    let serving = runtime().block_on(async {
        let listener = Serving::bind(0).await.unwrap();
        let settings = notes::settings(listener.local_addr().unwrap());
        let mailer = Mailer::folder(place.folder.join("mail")).unwrap();
        Serving::start(listener, database, false, settings, mailer)
            .await
            .unwrap()
    });
    let mut bob = Browser::new(&format!("http://{}", serving.address()));
    bob.sign_in("bob@example.com", database.password());
    (serving, bob)
}

#[test]
fn the_worker_ends_with_the_server_and_its_jobs_do_not() {
    let place = World::place();
    let database = runtime().block_on(Database::open(&place, false)).unwrap();
    let states = || query(database.superuser_url(), "SELECT state FROM jobs.job");
    let (serving, bob) = serve(&database, &place);
    let page = wanted(&bob, "acme");
    runtime().block_on(serving.stop()).unwrap();
    let ended = states();
    assert!(ended[0] != "running", "{ended:?}");
    // It waits, as it would have if the server had been stopped before.
    let again = "UPDATE jobs.job SET state = 'waiting', attempts = 0, ended_at = NULL; \
                 UPDATE export SET csv = NULL";
    query(database.superuser_url(), again);
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(states(), ["waiting"], "somebody still works");
    // The control: the next start does it.
    let (serving, bob) = serve(&database, &place);
    file(&bob, &page);
    assert_eq!(states(), ["done"]);
    runtime().block_on(serving.stop()).unwrap();
}
