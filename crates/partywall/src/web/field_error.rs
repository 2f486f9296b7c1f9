use std::borrow::Cow;

use garde::Report;
use serde_json::{Value, json};

/// What is wrong with one value of a request: an entry of a [`Problem`](super::Problem)'s `errors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    field: String,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
}

impl FieldError {
    /// A value, by its path (`title`, `tags[1]`, `[3].title`), a code for programs and a text for
    /// people.
    #[must_use]
    pub fn new(
        field: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            code: code.into(),
            detail: detail.into(),
        }
    }

    /// A value that is not as it should be.
    #[must_use]
    pub fn invalid(field: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(field, "invalid", detail)
    }

    /// The id of something that is not there, or not the visitor's, or that is no id: the three are
    /// one.
    #[must_use]
    pub fn no_such(field: impl Into<String>) -> Self {
        Self::new(field, "no_such", "there is no such thing to refer to")
    }

    /// A value that something else has already.
    #[must_use]
    pub fn taken(field: impl Into<String>) -> Self {
        Self::new(field, "taken", "this is taken")
    }

    /// The path of the value.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The code, for programs.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The text, for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The same of a value inside another: `title` of the third of a list is `[2].title`.
    #[must_use]
    pub fn inside(mut self, outer: &str) -> Self {
        self.field = match self.field.chars().next() {
            None => outer.to_owned(),
            Some('[') => format!("{outer}{}", self.field),
            Some(_) => format!("{outer}.{}", self.field),
        };
        self
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"field": self.field, "code": self.code, "detail": self.detail})
    }

    pub(super) fn of_report(report: &Report) -> Vec<Self> {
        report
            .iter()
            .map(|(path, error)| Self::invalid(path.to_string(), error.message().to_owned()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_on_inside() {
        let inside = |field: &str| FieldError::taken(field).inside("[2]").field;
        assert_eq!(inside("title"), "[2].title");
        assert_eq!(inside("[1]"), "[2][1]");
        assert_eq!(inside(""), "[2]");
    }

    #[test]
    fn every_error_of_a_report_is_told() {
        #[derive(garde::Validate)]
        struct Note {
            #[garde(length(min = 1))]
            title: String,
            #[garde(inner(length(max = 2)))]
            tags: Vec<String>,
        }
        let note = Note {
            title: String::new(),
            tags: vec!["ok".to_owned(), "long".to_owned()],
        };
        let report = garde::Validate::validate(&note).unwrap_err();
        let errors = FieldError::of_report(&report);
        let mut fields: Vec<&str> = errors.iter().map(FieldError::field).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["tags[1]", "title"]);
    }
}
