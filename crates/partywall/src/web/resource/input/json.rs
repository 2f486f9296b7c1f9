use std::fmt;

use http::{HeaderMap, StatusCode, header};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::web::{FieldError, Problem};

/// Reads a body that is said to be JSON. 415 for another kind, 400 for one that is not what it is said
/// to be, 422 where a text holds a character that PostgreSQL's do not.
pub(in crate::web::resource) fn read_json(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    if !kind
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(is_json)
    {
        let detail = "send the body as `application/json`";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "unsupported_media_type", detail));
    }
    let value = parse(body)?;
    let mut errors = Vec::new();
    find_nul(&value, &mut String::new(), &mut errors);
    if errors.is_empty() {
        Ok(value)
    } else {
        Err(Problem::invalid_fields(errors))
    }
}

/// `application/json`, or a type of its own that says it is JSON: `application/merge-patch+json`.
fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// JSON in which no object has a name twice: readers disagree on which of the two counts.
fn parse(body: &[u8]) -> Result<Value, Problem> {
    match serde_json::from_slice(body) {
        Ok(Strict(value)) => Ok(value),
        Err(error) => {
            let detail = if error.is_data() {
                "an object of the body has a name twice".to_owned()
            } else {
                format!(
                    "the body is not JSON (line {}, column {})",
                    error.line(),
                    error.column()
                )
            };
            Err(Problem::new(StatusCode::BAD_REQUEST, "bad_json", detail))
        }
    }
}

fn find_nul(value: &Value, path: &mut String, errors: &mut Vec<FieldError>) {
    let length = path.len();
    match value {
        Value::String(text) if text.contains('\0') => {
            let detail = "this holds a NUL character";
            errors.push(FieldError::invalid(path.clone(), detail));
        }
        Value::Array(values) => {
            for (n, value) in values.iter().enumerate() {
                path.push_str(&format!("[{n}]"));
                find_nul(value, path, errors);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(&name.replace('\0', "\u{fffd}"));
                if name.contains('\0') {
                    let detail = "this name holds a NUL character";
                    errors.push(FieldError::invalid(path.clone(), detail));
                }
                find_nul(value, path, errors);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = access.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((name, Strict(value))) = access.next_entry::<String, _>()? {
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom("a name twice"));
            }
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(kind: &str, body: &str) -> Result<Value, Problem> {
        let kind = http::HeaderValue::from_str(kind).unwrap();
        read_json(
            &HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]),
            body.as_bytes(),
        )
    }

    #[test]
    fn only_what_says_it_is_json_is_read() {
        for kind in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/merge-patch+json",
        ] {
            assert!(read(kind, "{}").is_ok(), "{kind}");
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "",
        ] {
            assert_eq!(
                read(kind, "{}").unwrap_err().status().as_u16(),
                415,
                "{kind}"
            );
        }
        assert_eq!(
            read_json(&HeaderMap::new(), b"{}")
                .unwrap_err()
                .status()
                .as_u16(),
            415
        );
    }

    #[test]
    fn what_is_wrong_is_told_without_the_parser() {
        let refused = |body: &str| read("application/json", body).unwrap_err();
        for body in [
            "",
            "{",
            "{\"a\":1,}",
            "nul",
            "\u{feff}{}",
            &"[".repeat(1_000),
        ] {
            let problem = refused(body);
            assert_eq!(
                (problem.status().as_u16(), problem.code()),
                (400, "bad_json"),
                "{body}"
            );
            assert!(
                problem.detail().starts_with("the body is not JSON (line"),
                "{body}"
            );
        }
        assert!(refused("{\"a\":1,\"a\":2}").detail().contains("twice"));
        let nul = refused(r#"{"a":"x\u0000","b":[{"c":"\u0000"}],"d\u0000":1,"e":"fine"}"#);
        let fields: Vec<&str> = nul.errors().iter().map(FieldError::field).collect();
        assert_eq!(fields, ["a", "b[0].c", "d\u{fffd}"]);
    }

    proptest! {
        #[test]
        fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body);
        }

        #[test]
        fn reads_what_was_written(texts in proptest::collection::btree_map("[a-z]{1,4}", "\\PC{0,9}", 0..5)) {
            let written = serde_json::to_value(&texts).unwrap();
            prop_assert_eq!(parse(written.to_string().as_bytes()).unwrap(), written);
        }
    }
}
