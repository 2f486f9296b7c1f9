use std::fmt;

use crate::web::Problem;

/// What is wrong with a form, and with which of its fields.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    message: String,
    field: Option<&'static str>,
}

impl Wrong {
    pub(super) fn new(problem: &Problem) -> Self {
        Self {
            message: problem.detail().to_owned(),
            field: problem.field(),
        }
    }

    /// Of one field, whatever the problem says of itself.
    pub(super) fn of(field: &'static str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            field: Some(field),
        }
    }

    /// Whether it is told beside a field.
    pub(super) fn is_of(&self, field: &str) -> bool {
        self.field == Some(field)
    }

    /// Whether it is told beside none of the fields that a form has: `"title body"`.
    pub(super) fn is_of_none(&self, fields: &str) -> bool {
        !fields.split(' ').any(|field| self.is_of(field))
    }
}

/// A sentence.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.message.chars();
        let first = characters.next().into_iter().flat_map(char::to_uppercase);
        f.write_str(&first.collect::<String>())?;
        write!(f, "{}.", characters.as_str())
    }
}
