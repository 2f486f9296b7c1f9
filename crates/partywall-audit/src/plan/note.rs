use serde::Serialize;

/// Something that a plan leaves to people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Note {
    /// What it is about.
    pub object: String,
    /// What is to be decided or done.
    pub what: String,
}

impl Note {
    pub(super) fn new(object: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            object: object.into(),
            what: what.into(),
        }
    }
}
