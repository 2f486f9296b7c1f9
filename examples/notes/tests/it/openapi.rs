//! The document of the API: it is what is committed, holds together, and is what is answered.

use std::{collections::BTreeSet, fs, path::Path};

use notes::Extras;
use partywall::web::resource::CursorKey;
use serde_json::Value;

use crate::world::World;

/// Written from the routes. `UPDATE_OPENAPI=1` writes it anew.
fn document() -> Value {
    let everything = Extras {
        playground: true,
        mail: true,
    };
    let cursors = CursorKey::new(&[7; 32]).unwrap();
    let document = notes::openapi(everything, &cursors);
    serde_json::to_value(document.unwrap()).unwrap()
}

#[test]
fn the_document_is_as_committed() {
    let document = document();
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    // The order of keys is the features' of `serde_json`, and says nothing.
    let committed: Option<Value> = serde_json::from_str(&committed).ok();
    assert!(
        committed == Some(document),
        "openapi.json is not what the routes say: run with UPDATE_OPENAPI=1 and read what changed"
    );
}

#[test]
fn what_is_answered_is_the_document() {
    let world = World::start(true);
    let anonymous = world.anonymous();
    let reply = anonymous.get("/api/openapi.json").is(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.json(), document());
    let page = anonymous.get("/api/docs").is(303);
    assert_eq!(page.location.as_deref(), Some("/api/docs/index.html"));
    let page = anonymous.get("/api/docs/index.html").is(200);
    assert!(page.body.contains("swagger"), "{}", page.body);
    let script = anonymous.get("/api/docs/swagger-initializer.js").is(200);
    assert!(script.body.contains("/api/openapi.json"), "{}", script.body);
    anonymous.get("/api/docs/nothing.js").is(404);
    // What is not served is not described.
    let few = World::start(false).anonymous().get("/api/openapi.json");
    let path = "/api/tenants/{tenant}/sql";
    assert!(few.is(200).json()["paths"].get(path).is_none());
    assert!(document()["paths"].get(path).is_some());
}

#[test]
fn the_document_holds_together() {
    assert_eq!(wrong(&document()), Vec::<String>::new());
}

#[test]
fn what_does_not_hold_together_is_found() {
    let note = "/paths/~1api~1tenants~1{tenant}~1notes~1{note}/get";
    let broken = [
        ("", "openapi", Value::from("3.0.3"), "openapi"),
        (note, "operationId", Value::from("note.list"), "twice"),
        (note, "operationId", Value::Null, "no operationId"),
        (note, "parameters", Value::Array(Vec::new()), "{note}"),
        (note, "responses", serde_json::json!({}), "no responses"),
        (
            note,
            "requestBody",
            serde_json::json!({ "$ref": "#/components/schemas/Nothing" }),
            "#/components/schemas/Nothing",
        ),
    ];
    for (at, name, value, told) in broken {
        let mut document = document();
        document.pointer_mut(at).unwrap()[name] = value;
        let wrong = wrong(&document);
        assert!(
            wrong.iter().any(|wrong| wrong.contains(told)),
            "{told}: {wrong:?}"
        );
    }
}

/// What is wrong with a document, as far as OpenAPI 3.1 can be checked without its whole schema.
fn wrong(document: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if document["openapi"] != "3.1.0" {
        wrong.push(format!("openapi is {}", document["openapi"]));
    }
    for reference in references(document) {
        let found = reference
            .strip_prefix('#')
            .and_then(|at| document.pointer(at));
        if found.is_none() {
            wrong.push(format!("{reference} leads nowhere"));
        }
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            match operation["operationId"].as_str() {
                None => wrong.push(format!("{what} has no operationId")),
                Some(id) if !ids.insert(id) => wrong.push(format!("{what}: {id} is there twice")),
                Some(_) => {}
            }
            if operation["responses"]
                .as_object()
                .is_none_or(serde_json::Map::is_empty)
            {
                wrong.push(format!("{what} has no responses"));
            }
            let declared = in_path(operation);
            let meant = path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            let meant: BTreeSet<_> = meant.collect();
            for name in meant.symmetric_difference(&declared) {
                wrong.push(format!("{what} and its parameters differ in {{{name}}}"));
            }
        }
    }
    wrong
}

/// The parameters that are required, and are of the path.
fn in_path(operation: &Value) -> BTreeSet<&str> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.filter(|one| one["in"] == "path" && one["required"] == true)
        .filter_map(|one| one["name"].as_str())
        .collect()
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            own.into_iter()
                .chain(fields.values().flat_map(references))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
