//! What is declared wrongly does not start, and what the application answers itself is checked as well.

use std::sync::Arc;

use partywall::web::{
    Problem,
    resource::{Act, Actions, Call, Granted, List, Op, ResourceEndpoints, ResourceError, Settings},
};
use serde_json::json;

use super::{
    models::note,
    notes::{Notes, Replies},
    site::{App, Site, item, key, policy, routes},
};

#[test]
fn lists_are_checked() {
    use note::Column::{Body, Id, Price, Stars, State, Title};
    let list = List::<note::Entity>::new;
    let bad = [
        (
            list().filter("sort", Title, [Op::Eq]),
            ResourceError::Reserved("sort"),
        ),
        (
            list().filter("a__b", Title, [Op::Eq]),
            ResourceError::Reserved("a__b"),
        ),
        (
            list()
                .filter("a", Title, [Op::Eq])
                .filter("a", Body, Op::ONE_OF),
            ResourceError::Twice("a".to_owned()),
        ),
        (
            list().filter("stars", Stars, [Op::Contains]),
            ResourceError::Filter {
                parameter: "stars__contains".to_owned(),
                column: "stars",
            },
        ),
        (list().search([Stars]), ResourceError::Search("stars")),
        (
            list().sort("a", Title).sort("a", Body),
            ResourceError::Twice("a".to_owned()),
        ),
        (
            list().default_sort("-title"),
            ResourceError::DefaultSort("title".to_owned()),
        ),
        (list().page(0, 10), ResourceError::Page),
        (list().page(11, 10), ResourceError::Page),
    ];
    for (list, error) in bad {
        assert_eq!(list.check(), Err(error));
    }
    let good = list()
        .filter("a", State, [Op::In])
        .filter("a", Price, [Op::Gt])
        .sort("id", Id)
        .default_sort("-id");
    assert_eq!(good.check(), Ok(()));
}

#[test]
fn a_resource_stands_where_it_says() {
    let replies = || Actions::new(Replies, key()).unwrap();
    let endpoints = |path| ResourceEndpoints::<_, App>::new(replies(), path, Arc::new(policy()));
    assert!(matches!(
        endpoints("/tenants/{tenant}/replies"),
        Err(ResourceError::Parent(_))
    ));
    assert!(endpoints("/tenants/{tenant}/notes/{note}/replies").is_ok());
    let settings = Settings::default();
    let notes = Actions::new(Notes { settings }, key()).unwrap();
    let path = "/tenants/{tenant}/folders/{folder}/notes";
    let nested = ResourceEndpoints::<_, App>::new(notes, path, Arc::new(policy()));
    assert!(matches!(nested, Err(ResourceError::Parent(_))));
}

#[test]
fn every_action_has_its_endpoint() {
    let table = routes(Settings::default(), |notes| notes).table();
    let notes: Vec<&str> = table
        .lines()
        .filter(|line| line.ends_with("| note |"))
        .collect();
    assert_eq!(
        notes,
        [
            "| `/tenants/{tenant}/notes` | GET | note.list | note |",
            "| `/tenants/{tenant}/notes` | POST | note.create | note |",
            "| `/tenants/{tenant}/notes/bulk` | DELETE | note.bulk.delete | note |",
            "| `/tenants/{tenant}/notes/bulk` | PATCH | note.bulk.update | note |",
            "| `/tenants/{tenant}/notes/bulk` | POST | note.bulk.create | note |",
            "| `/tenants/{tenant}/notes/{note}` | DELETE | note.delete | note |",
            "| `/tenants/{tenant}/notes/{note}` | GET | note.retrieve | note |",
            "| `/tenants/{tenant}/notes/{note}` | PATCH | note.update | note |",
            "| `/tenants/{tenant}/notes/{note}` | PUT | note.whole.update | note |",
        ]
    );
    for endpoint in routes(Settings::default(), |notes| notes).endpoints() {
        let action = endpoint.action();
        let known = ["list", "retrieve", "create", "update", "delete"];
        assert!(known.contains(&action.name()), "{endpoint}");
    }
}

/// Counts, and leaves the rest to the action.
async fn list(granted: Granted, parts: axum::http::request::Parts) -> Result<String, Problem> {
    let actions = Actions::new(
        Notes {
            settings: Settings::default(),
        },
        key(),
    )
    .unwrap();
    let call = Call {
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &[],
    };
    let page = actions.list(&granted, &call).await?;
    Ok(format!(
        "{} {}",
        granted.account().tenant().slug,
        page.status()
    ))
}

#[tokio::test]
async fn any_action_can_be_the_applications_own() {
    let site = Site::with(Settings::default(), |notes| {
        notes
            .without([Act::Replace])
            .answered_by(Act::Retrieve, async || "mine")
            .answered_by(Act::List, list)
            .configured(Act::List, |endpoint| endpoint.asks_again())
    })
    .await;
    let path = item("a", "note 0 of a");
    assert_eq!(site.get("bob", &path).await.is(200).body, "mine");
    assert_eq!(
        site.get("bob", "/tenants/a/notes?limit=1")
            .await
            .is(200)
            .body,
        "a 200 OK"
    );
    // It runs after the check, whatever it does.
    site.get("eve", &path).await.is(404);
    site.get("bob", &item("a", "note 0 of b")).await.is(404);
    site.get("bob", "/tenants/a/notes?limit=x").await.is(400);
    // note 6 is private.
    site.get("bob", &item("a", "note 6 of a")).await.is(403);
    site.send("bob", "PUT", &path, &json!({"title": "x"}))
        .await
        .is(405);
    site.send("bob", "PATCH", &path, &json!({"title": "x"}))
        .await
        .is(200);
}

#[tokio::test]
async fn a_handler_of_ones_own_that_does_not_ask_again_is_not_asked() {
    let site = Site::with(Settings::default(), |notes| {
        notes.answered_by(Act::List, list)
    })
    .await;
    // The policy cannot decide about a list without looking at its rows.
    site.get("bob", "/tenants/a/notes").await.is(403);
    site.get("ann", "/tenants/a/notes").await.is(200);
}
