//! What a policy would say if nothing were known of its resource. Found in Cedar's own JSON form of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// A piece of an expression looks at the resource.
fn asks(expression: &Value) -> bool {
    match expression {
        Value::Object(map) => {
            map.get("Var").is_some_and(|name| name == "resource") || map.values().any(asks)
        }
        Value::Array(all) => all.iter().any(asks),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn conditions(policy: &Value) -> impl Iterator<Item = &Value> {
    let list = policy.get("conditions").and_then(Value::as_array);
    list.into_iter().flatten()
}

/// The policy's scope says more of the resource than its type.
fn names_resource(policy: &Value) -> bool {
    let scope = policy.get("resource");
    let operator = scope.and_then(|scope| scope.get("op"));
    match operator.and_then(Value::as_str) {
        Some("All") => false,
        Some("is") => scope.is_some_and(|scope| scope.get("in").is_some()),
        // What is not known is taken to look.
        Some(_) | None => true,
    }
}

/// The policy without what it asks of its resource, its type excepted: it matches wherever some
/// resource could make it match. Nothing for a policy that does not look at the resource.
pub(super) fn without_resource(policy: &Value) -> Option<Value> {
    let names_resource = names_resource(policy);
    if !names_resource && !conditions(policy).any(asks) {
        return None;
    }
    let rest: Vec<_> = conditions(policy).filter(|one| !asks(one)).collect();
    let mut open = policy.clone();
    let map = open.as_object_mut()?;
    map.insert("conditions".to_owned(), json!(rest));
    if names_resource {
        let kind = policy.get("resource").and_then(|s| s.get("entity_type"));
        let scope = match kind {
            Some(kind) => json!({"op": "is", "entity_type": kind}),
            None => json!({"op": "All"}),
        };
        map.insert("resource".to_owned(), scope);
    }
    Some(open)
}

/// The permissions that a policy asks of its principal by name.
pub(super) fn permissions(expression: &Value, found: &mut BTreeSet<String>) {
    match expression {
        Value::Object(map) => {
            for operator in ["contains", "containsAny", "containsAll"] {
                if let Some(sides) = map
                    .get(operator)
                    .filter(|sides| is_about_permissions(sides))
                {
                    texts(sides.get("right"), found);
                }
            }
            for part in map.values() {
                permissions(part, found);
            }
        }
        Value::Array(all) => {
            for part in all {
                permissions(part, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_about_permissions(sides: &Value) -> bool {
    let of = sides.get("left").and_then(|left| left.get("."));
    of.is_some_and(|of| {
        of.get("left").and_then(|left| left.get("Var")) == Some(&json!("principal"))
            && of.get("attr") == Some(&json!("permissions"))
    })
}

/// The texts of a value or of a set of values.
fn texts(expression: Option<&Value>, found: &mut BTreeSet<String>) {
    match expression {
        Some(Value::Object(map)) => {
            if let Some(Value::String(text)) = map.get("Value") {
                found.insert(text.clone());
            }
            texts(map.get("Set"), found);
        }
        Some(Value::Array(all)) => {
            for one in all {
                texts(Some(one), found);
            }
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {}
    }
}
