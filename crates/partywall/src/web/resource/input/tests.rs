use proptest::prelude::*;
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, serde::Deserialize, garde::Validate)]
#[garde(allow_unvalidated)]
struct Note {
    #[garde(length(min = 1, max = 5))]
    title: String,
    #[serde(default)]
    #[garde(range(max = 9))]
    stars: u8,
    #[serde(default, rename = "where")]
    #[garde(dive)]
    place: Option<Place>,
    #[serde(default)]
    state: State,
    #[serde(default)]
    at: Option<chrono::DateTime<chrono::Utc>>,
    #[serde(default)]
    #[garde(inner(length(max = 3)))]
    tags: Vec<String>,
    #[serde(default)]
    price: Option<f64>,
}

#[derive(Debug, PartialEq, serde::Deserialize, garde::Validate)]
struct Place {
    #[garde(length(min = 1))]
    street: String,
}

#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    #[default]
    Draft,
    OpenTo(Vec<String>),
}

fn read(value: Value) -> Result<Note, Vec<FieldError>> {
    read_input(value, &Sight::default())
}

fn told(value: Value) -> Vec<(String, String)> {
    told_to(value, &Sight::default())
}

fn told_to(value: Value, sight: &Sight) -> Vec<(String, String)> {
    let errors = read_input::<Note>(value, sight).unwrap_err();
    let pair = |error: &FieldError| (error.field().to_owned(), error.code().to_owned());
    let mut told: Vec<_> = errors.iter().map(pair).collect();
    told.sort();
    told
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
        .collect()
}

#[test]
fn what_is_right_is_read() {
    let note = read(json!({
        "title": "one", "stars": 3, "where": {"street": "x"}, "state": {"open_to": ["ann"]},
        "at": "2026-01-31T12:00:00Z", "tags": ["a"], "price": 1.5
    }))
    .unwrap();
    assert_eq!(note.state, State::OpenTo(vec!["ann".to_owned()]));
    assert_eq!(
        note.place,
        Some(Place {
            street: "x".to_owned()
        })
    );
    assert!(note.at.is_some());
    assert_eq!(
        read(json!({"title": "one", "state": "draft"}))
            .unwrap()
            .stars,
        0
    );
}

#[test]
fn i34_fields_of_the_server_are_refused() {
    let body = json!({"title": "one", "id": 1, "tenant_id": 2, "account_id": 3, "role": "owner"});
    let all = [
        ("account_id", "unknown"),
        ("id", "unknown"),
        ("role", "unknown"),
        ("tenant_id", "unknown"),
    ];
    assert_eq!(told(body), pairs(&all));
    let inside = json!({"title": "one", "where": {"street": "x", "tenant_id": 2}});
    assert_eq!(told(inside), pairs(&[("where.tenant_id", "unknown")]));
    assert!(read(json!({"title": "one"})).is_ok());
}

#[test]
fn i55_a_hidden_field_is_refused_as_an_unknown_one() {
    let sight = Sight::new(|name| name == "stars", |name| name == "tags");
    let hidden = read_input::<Note>(json!({"title": "one", "stars": 1}), &sight).unwrap_err();
    let random = read_input::<Note>(json!({"title": "one", "sterns": 1}), &sight).unwrap_err();
    assert_eq!(hidden[0].code(), random[0].code());
    assert_eq!(hidden[0].detail(), random[0].detail());
    let frozen = json!({"title": "one", "tags": []});
    assert_eq!(told_to(frozen, &sight), pairs(&[("tags", "frozen")]));
    assert!(read_input::<Note>(json!({"title": "one"}), &sight).is_ok());
    // What is wrong with a field that is hidden does not name it either.
    let sight = Sight::new(|name| name == "title", |_| false);
    assert_eq!(told_to(json!({}), &sight), pairs(&[("", "missing")]));
}

#[test]
fn faults_have_their_place_and_no_type() {
    for (body, field, code) in [
        (json!({}), "title", "missing"),
        (json!({"title": null}), "title", "wrong_type"),
        (json!({"title": 7}), "title", "wrong_type"),
        (json!({"title": "x", "stars": 256}), "stars", "invalid"),
        (json!({"title": "x", "stars": -1}), "stars", "invalid"),
        (json!({"title": "x", "stars": 1.5}), "stars", "wrong_type"),
        (
            json!({"title": "x", "where": {"street": []}}),
            "where.street",
            "wrong_type",
        ),
        (json!({"title": "x", "where": ["x"]}), "where", "wrong_type"),
        (
            json!({"title": "x", "where": {}}),
            "where.street",
            "missing",
        ),
        (json!({"title": "x", "state": "gone"}), "state", "invalid"),
        (
            json!({"title": "x", "state": {"open_to": [1]}}),
            "state[0]",
            "wrong_type",
        ),
        (json!({"title": "x", "at": "noon"}), "at", "invalid"),
        (
            json!({"title": "x", "tags": ["a", 1]}),
            "tags[1]",
            "wrong_type",
        ),
        (json!({"title": "x", "price": "1"}), "price", "wrong_type"),
        (json!([]), "", "wrong_type"),
        (json!("x"), "", "wrong_type"),
    ] {
        let errors = read(body.clone()).unwrap_err();
        let all: Vec<_> = errors.iter().map(|e| (e.field(), e.code())).collect();
        assert_eq!(all, [(field, code)], "{body}");
        let detail = errors[0].detail();
        for inside in [
            "struct",
            "u8",
            "Place",
            "enum",
            "variant",
            "expected",
            "invalid type",
        ] {
            assert!(!detail.contains(inside), "{detail}");
        }
    }
}

#[test]
fn all_values_that_are_wrong_are_told_at_once() {
    let body = json!({"title": "", "stars": 10, "where": {"street": ""}, "tags": ["ok", "long"]});
    let told = told(body);
    // garde calls a field by its name in the program.
    let all = [
        ("place.street", "invalid"),
        ("stars", "invalid"),
        ("tags[1]", "invalid"),
        ("title", "invalid"),
    ];
    assert_eq!(told, pairs(&all));
}

#[test]
fn fields_are_known_by_the_type_alone() {
    assert_eq!(fields_of::<Place>(), Some(&["street"][..]));
    assert!(fields_of::<Note>().is_some_and(|fields| fields.contains(&"where")));
    #[derive(serde::Deserialize)]
    struct Flat {
        #[serde(flatten)]
        _place: Place,
    }
    assert_eq!(fields_of::<Flat>(), None);
    assert_eq!(fields_of::<Vec<u8>>(), None);
}

#[test]
fn absent_is_not_null() {
    #[derive(Debug, Default, PartialEq, serde::Deserialize, garde::Validate)]
    #[serde(default)]
    struct Change {
        #[garde(inner(length(min = 1)))]
        title: Patch<String>,
        #[garde(inner(inner(length(min = 1))))]
        author: Patch<Option<String>>,
    }
    let read = |value| read_input::<Change>(value, &Sight::default());
    assert_eq!(read(json!({})).unwrap(), Change::default());
    assert_eq!(
        read(json!({"author": null})).unwrap().author,
        Patch::Given(None)
    );
    assert_eq!(
        read(json!({"author": "x"})).unwrap().author,
        Patch::Given(Some("x".to_owned()))
    );
    for (body, field) in [
        (json!({"title": null}), "title"),
        (json!({"title": ""}), "title"),
        (json!({"author": ""}), "author"),
    ] {
        assert_eq!(read(body).unwrap_err()[0].field(), field);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        "[a-z]{0,3}",
        Just("title".to_owned()),
        Just("where".to_owned()),
        Just("state".to_owned()),
        Just("tags".to_owned())
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn never_panics(value in any_json()) {
        let _ = read(value);
    }
}
