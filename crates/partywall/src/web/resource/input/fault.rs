use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use crate::web::FieldError;

/// Why a body is not what was expected, without a word of the types that expected it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) errors: Vec<FieldError>,
    /// Whether the errors say where they are.
    is_placed: bool,
}

impl Fault {
    pub(super) fn new(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            is_placed: false,
        }
    }

    fn one(field: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(vec![FieldError::new(field, code, detail.into())])
    }

    /// Says where the fault is, the first time that somebody knows.
    pub(super) fn at(mut self, path: &str) -> Self {
        if !self.is_placed && !path.is_empty() {
            self.errors = self
                .errors
                .into_iter()
                .map(|error| error.inside(path))
                .collect();
        }
        self.is_placed = true;
        self
    }
}

/// What was expected, in words of JSON. The library's own names a type of the program's.
fn described(expected: &dyn Expected) -> &'static str {
    let text = expected.to_string();
    match text.as_str() {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
        | "usize" => "this must be a whole number in its range",
        "f32" | "f64" => "this must be a number",
        "a boolean" => "this must be `true` or `false`",
        "a string" | "a borrowed string" | "string" => "this must be a text",
        "a character" => "this must be one character",
        "a sequence" => "this must be a list",
        "a map" => "this must be an object",
        text if text.starts_with("struct ") => "this must be an object",
        text if text.contains("UUID") => "this must be an id",
        text if text.contains("RFC 3339") || text.contains("date") => {
            "this must be a time like `2026-01-31T12:00:00Z`"
        }
        _ => "this is not as it should be",
    }
}

impl Error for Fault {
    /// Texts of other libraries stay here.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::one("", "invalid", "this is not as it should be")
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::one("", "wrong_type", described(expected))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::one("", "invalid", described(expected))
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::one("", "invalid", "this has the wrong length")
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let detail = format!("this must be one of `{}`", expected.join("`, `"));
        Self::one("", "invalid", detail)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(vec![unknown(field)])
    }

    fn missing_field(field: &'static str) -> Self {
        Self::one(field, "missing", "this is missing")
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::one(field, "repeated", "this is given twice")
    }
}

/// A field that nobody knows, or that is hidden from who asks: the two are one.
pub(super) fn unknown(field: &str) -> FieldError {
    let shown: String = field.chars().take(100).collect();
    FieldError::new(shown, "unknown", "there is no such field")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is not as it should be")
    }
}

impl std::error::Error for Fault {}
