//! All that is answered, and who may ask for it.

use std::{collections::BTreeMap, fs, path::Path};

use notes::{App, Extras, permissions};
use partywall::web::{Endpoint, Routes, RoutesError, resource::CursorKey};

fn all() -> Routes<App> {
    let everything = Extras {
        playground: true,
        mail: true,
    };
    with(everything)
}

fn with(extras: Extras) -> Routes<App> {
    let cursors = CursorKey::new(&[7; 32]).unwrap();
    notes::routes(extras, &cursors).unwrap()
}

/// Written from the routes and their policies. `UPDATE_ROUTES=1` writes it anew.
#[test]
fn the_table_is_as_committed() {
    let routes = all();
    let mut policies = BTreeMap::new();
    for policy in routes
        .endpoints()
        .filter_map(|endpoint| endpoint.access()?.policy())
    {
        // Of a single permission the name says it all.
        if !policy.name().contains('.') {
            policies.insert(policy.name().to_owned(), policy.table());
        }
    }
    let mut text = String::from(
        "# What is answered, and who may ask for it\n\nWritten by `routes.rs`, with `UPDATE_ROUTES=1`.\n\n",
    );
    text += &routes.table();
    for table in policies.values() {
        text += "\n";
        text += table;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/routes.md");
    if std::env::var_os("UPDATE_ROUTES").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "routes.md is not what is answered: run with UPDATE_ROUTES=1 and read what changed\n{text}"
    );
}

#[test]
fn nothing_is_answered_unchecked() {
    assert_eq!(all().bare_routers().count(), 0);
}

#[test]
fn every_endpoint_tells_what_it_is() {
    for endpoint in all().endpoints() {
        assert!(endpoint.name().is_some(), "{endpoint}");
        assert!(endpoint.heading().is_some(), "{endpoint}");
        assert!(endpoint.about().len() > 5, "{endpoint}");
        assert!(endpoint.outputs().count() > 0, "{endpoint}");
    }
}

/// A document of the routes has one place for each name.
#[test]
fn the_name_of_a_shape_stands_for_one() {
    let mut shapes = BTreeMap::new();
    let mut sames = 0;
    for endpoint in all().endpoints() {
        let outputs = endpoint.outputs().filter_map(|(_, body)| body);
        for body in endpoint.inputs().chain(outputs) {
            let own = (body.name().to_owned(), body.schema());
            for (name, schema) in body.parts().into_iter().chain([own]) {
                let shape = serde_json::to_value(&schema).unwrap();
                let known = shapes.entry(name).or_insert_with(|| shape.clone());
                assert_eq!(*known, shape, "{endpoint}: {}", body.name());
                sames += 1;
            }
        }
    }
    assert!(shapes.len() > 30 && sames > shapes.len());
}

#[test]
fn what_is_not_asked_for_is_not_there() {
    let names = |extras| -> Vec<String> {
        let routes = with(extras);
        let names = routes.endpoints().filter_map(Endpoint::name);
        names.map(str::to_owned).collect()
    };
    let few = names(Extras::default());
    let more: Vec<_> = all()
        .endpoints()
        .filter_map(|endpoint| endpoint.name().map(str::to_owned))
        .filter(|name| !few.contains(name))
        .collect();
    let expected = ["page.mail.list", "page.sql.new", "page.sql.run", "sql.run"];
    assert_eq!(
        more.into_iter().collect::<std::collections::BTreeSet<_>>(),
        expected.map(str::to_owned).into()
    );
}

#[test]
fn i56_an_endpoint_without_a_policy_does_not_start() {
    let declared = permissions().unwrap();
    all().check(&declared).unwrap();
    let forgotten = || Endpoint::get("/api/tenants/{tenant}/notes/{note}/links", async || "");
    let refused = all().route(forgotten()).check(&declared).unwrap_err();
    assert!(matches!(refused, RoutesError::NoPolicy { .. }), "{refused}");
    assert!(refused.to_string().contains("/links"), "{refused}");
    let guarded = forgotten().require("note.read");
    all().route(guarded).check(&declared).unwrap();
    // A comment is under its note and nowhere else.
    let orphan = Endpoint::get("/api/tenants/{tenant}/comments/{comment}", async || "");
    let refused = all()
        .route(orphan.require("comment.read"))
        .check(&declared)
        .unwrap_err();
    assert!(matches!(refused, RoutesError::NoParent { .. }), "{refused}");
}
