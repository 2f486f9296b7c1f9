//! JSON documents that say who somebody is, such as those of PostgREST and Supabase.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// How a value is put into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claims {
    /// Under every name, at the top.
    Flat,
    /// Under every name, in an object of this name.
    Inside(String),
    /// In lists, under every name.
    Lists,
}

/// The names that may be keys of such documents, among texts of policies and functions.
pub(super) fn keys(texts: &BTreeSet<String>) -> BTreeSet<String> {
    let is_key = |text: &str| {
        !text.is_empty()
            && text.len() <= 40
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    let mut keys: BTreeSet<String> = BTreeSet::from(["sub".to_owned()]);
    for text in texts {
        // Of a path: '{app_metadata,tenant_id}'.
        let inside = text.trim_start_matches('{').trim_end_matches('}');
        keys.extend(
            inside
                .split(',')
                .map(|part| part.trim().trim_matches('"'))
                .filter(|part| is_key(part) && !crate::sql::is_setting_name(part))
                .map(str::to_owned),
        );
    }
    keys
}

impl Claims {
    /// The ways for these keys.
    pub(super) fn all(keys: &BTreeSet<String>) -> Vec<Self> {
        let mut all = vec![Self::Flat];
        all.extend(
            keys.iter()
                .filter(|key| *key != "sub")
                .take(8)
                .map(|key| Self::Inside(key.clone())),
        );
        all.push(Self::Lists);
        all
    }

    pub(super) fn document(&self, keys: &BTreeSet<String>, value: &str, role: &str) -> String {
        let mut top = Map::new();
        let mut inner = Map::new();
        for key in keys.iter().filter(|key| *key != "role") {
            let leaf = match self {
                Self::Lists => Value::Array(vec![Value::String(value.to_owned())]),
                Self::Flat | Self::Inside(_) => Value::String(value.to_owned()),
            };
            inner.insert(key.clone(), leaf.clone());
            top.insert(key.clone(), leaf);
        }
        top.insert("role".to_owned(), Value::String(role.to_owned()));
        if let Self::Inside(name) = self {
            inner.remove(name);
            top.insert(name.clone(), Value::Object(inner));
        }
        Value::Object(top).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_hold_the_value_where_policies_look() {
        let texts = [
            "request.jwt.claims",
            "tenant_id",
            "{app_metadata,org}",
            "x y",
        ]
        .map(str::to_owned)
        .into();
        let keys = keys(&texts);
        let expected = ["app_metadata", "org", "sub", "tenant_id"];
        assert!(keys.iter().eq(expected));
        let json: Value = serde_json::from_str(
            &Claims::Inside("app_metadata".to_owned()).document(&keys, "a", "app"),
        )
        .unwrap();
        assert_eq!(json["app_metadata"]["org"], "a");
        assert_eq!(json["tenant_id"], "a");
        assert_eq!(json["role"], "app");
    }
}
