use std::sync::Arc;

use crate::{policy::Fields, web::FieldError};

type Rule = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Which fields an account sees, and which of these it may write.
///
/// A field that is hidden is absent from every answer, unknown to filters, orders and searches, and
/// refused in a body as a field is that nobody knows.
#[derive(Clone)]
pub struct Sight {
    hides: Rule,
    freezes: Rule,
}

impl Default for Sight {
    /// Sees and writes everything.
    fn default() -> Self {
        Self::new(|_| false, |_| false)
    }
}

impl Sight {
    /// From two rules, each of which is asked for the name of a field.
    #[must_use]
    pub fn new(
        hides: impl Fn(&str) -> bool + Send + Sync + 'static,
        freezes: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            hides: Arc::new(hides),
            freezes: Arc::new(freezes),
        }
    }

    /// Whether a field is hidden.
    #[must_use]
    pub fn hides(&self, field: &str) -> bool {
        (self.hides)(field)
    }

    /// Whether a field is shown and cannot be written.
    #[must_use]
    pub fn freezes(&self, field: &str) -> bool {
        (self.freezes)(field)
    }

    /// Errors as the account may know them: what is wrong with a hidden field does not name it.
    pub(super) fn covered(&self, errors: Vec<FieldError>) -> Vec<FieldError> {
        errors
            .into_iter()
            .map(|error| {
                if self.hides(outermost(error.field())) {
                    FieldError::new("", error.code().to_owned(), "this is not as it should be")
                } else {
                    error
                }
            })
            .collect()
    }
}

/// The field that a path begins with: `tags` of `tags[1]`.
fn outermost(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or_default()
}

impl From<Fields> for Sight {
    fn from(fields: Fields) -> Self {
        let fields = Arc::new(fields);
        let frozen = Arc::clone(&fields);
        Self::new(
            move |field| fields.hides(field),
            move |field| frozen.freezes(field),
        )
    }
}

impl std::fmt::Debug for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sight").finish_non_exhaustive()
    }
}
