use std::{error::Error as StdError, fmt, time::Duration};

/// Why a try was in vain, and what is to become of the job.
///
/// Every error turns into one that is tried again, so `?` does the usual thing:
///
/// ```
/// use partywall::jobs::Failure;
///
/// fn parse(text: &str) -> Result<u32, Failure> {
///     if text.is_empty() {
///         return Err(Failure::fatal("the amount is empty")); // no use to try again
///     }
///     Ok(text.parse()?)
/// }
/// # assert!(parse("").is_err() && parse("7").is_ok());
/// ```
pub struct Failure {
    pub(super) then: Then,
    pub(super) error: Box<dyn StdError + Send + Sync>,
}

/// What is to become of a job that was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Retry,
    GiveUp,
    /// It was no failure: its time has not come.
    Wait(Duration),
}

impl Failure {
    /// It is tried again, until its attempts are used up.
    #[must_use]
    pub fn retry(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Then::Retry, error.into())
    }

    /// It is given up now.
    #[must_use]
    pub fn fatal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Then::GiveUp, error.into())
    }

    /// It runs again after this time, and the try does not count: somebody else is busy, or said when
    /// to come back.
    #[must_use]
    pub fn later(after: Duration, why: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Then::Wait(after), why.into())
    }

    fn new(then: Then, error: Box<dyn StdError + Send + Sync>) -> Self {
        Self { then, error }
    }

    /// The error and what is behind it, as it is written down.
    #[must_use]
    pub fn text(&self) -> String {
        described(self.error.as_ref())
    }
}

/// How much of an error's text is kept.
const LONGEST: usize = 2_000;

/// The error and its causes in one line. PostgreSQL has no NUL in a text.
pub(super) fn described(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(behind) = cause {
        let line = behind.to_string();
        // A transparent error reads as its cause.
        if !text.ends_with(&line) {
            text.push_str(": ");
            text.push_str(&line);
        }
        cause = behind.source();
    }
    text.chars().filter(|c| *c != '\0').take(LONGEST).collect()
}

impl<E: StdError + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::retry(error)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("then", &self.then)
            .field("error", &self.error)
            .finish()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the outer\0")]
    struct Outer(#[source] std::num::ParseIntError);

    #[test]
    fn causes_are_told_and_nothing_that_a_text_cannot_hold() {
        let inner = "x".parse::<u8>().unwrap_err();
        let failure = Failure::from(Outer(inner));
        assert_eq!(failure.text(), "the outer: invalid digit found in string");
        assert_eq!(failure.then, Then::Retry);
        assert_eq!(
            Failure::fatal("é".repeat(9_000)).text().chars().count(),
            LONGEST
        );
    }
}
