use serde::Serialize;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// As it should be.
    Ok,
    /// It does not apply here, or cannot be told.
    NotKnown,
    /// It is to be looked at.
    Warn,
    /// It is to be mended.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Line {
    /// What it is about: `server`, `pooler`.
    pub topic: &'static str,
    /// How it is.
    pub status: Status,
    /// What was seen.
    pub what: String,
    /// What to do about it; empty where there is nothing to do.
    pub mend: String,
}

impl Line {
    /// All is well.
    #[must_use]
    pub fn ok(topic: &'static str, what: impl Into<String>) -> Self {
        Self::new(topic, Status::Ok, what, "")
    }

    /// One of any status.
    #[must_use]
    pub fn new(
        topic: &'static str,
        status: Status,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            topic,
            status,
            what: what.into(),
            mend: mend.into(),
        }
    }
}
