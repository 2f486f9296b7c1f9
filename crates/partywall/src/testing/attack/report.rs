use std::fmt;

use super::Caller;

/// One request that was sent, and whether its answer was right.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The endpoint's name.
    pub endpoint: String,
    /// The method that was sent.
    pub method: String,
    /// Who sent it.
    pub caller: Caller,
    /// What was tried.
    pub what: String,
    /// What was answered.
    pub status: u16,
    /// What is wrong with that; none where it is right.
    pub wrong: Option<String>,
}

/// What came of an attack.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub(super) attempts: Vec<Attempt>,
    pub(super) left_out: Vec<String>,
    /// What the test says that cannot be.
    pub(super) mistakes: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Report {
    /// Everything that was sent.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter()
    }

    /// What went wrong, in words; empty where nothing did.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let attempts = self.attempts.iter().filter_map(|attempt| {
            let wrong = attempt.wrong.as_ref()?;
            Some(format!(
                "{} {} as {}: {}: {} ({})",
                attempt.method,
                attempt.endpoint,
                attempt.caller,
                attempt.what,
                wrong,
                attempt.status
            ))
        });
        let left_out = self
            .left_out
            .iter()
            .map(|endpoint| format!("{endpoint}: was left out: say how it is used with a `Case`"));
        let mistakes = self.mistakes.iter().cloned();
        attempts.chain(left_out).chain(mistakes).collect()
    }

    /// Fails if anything went wrong.
    ///
    /// # Panics
    ///
    /// With all that went wrong.
    #[track_caller]
    pub fn assert_held(&self) {
        let wrong = self.wrong();
        assert!(
            wrong.is_empty(),
            "{} of {} went wrong:\n{}",
            wrong.len(),
            self.attempts.len(),
            wrong.join("\n")
        );
        assert!(!self.attempts.is_empty(), "nothing was sent");
    }
}

/// A table in Markdown: endpoints by callers, with the statuses that were seen.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CALLERS: [Caller; 5] = [
            Caller::Member,
            Caller::Other,
            Caller::Anonymous,
            Caller::Suspended,
            Caller::Powerless,
        ];
        write!(f, "| endpoint |")?;
        for caller in CALLERS {
            write!(f, " {caller} |")?;
        }
        writeln!(f, "\n|---|---|---|---|---|---|")?;
        let mut endpoints: Vec<_> = self.attempts.iter().map(|a| a.endpoint.as_str()).collect();
        endpoints.dedup();
        for endpoint in endpoints {
            write!(f, "| {endpoint} |")?;
            for caller in CALLERS {
                let mut seen: Vec<_> = self
                    .attempts
                    .iter()
                    .filter(|a| a.endpoint == endpoint && a.caller == caller)
                    .map(|a| a.status.to_string())
                    .collect();
                seen.sort_unstable();
                seen.dedup();
                write!(f, " {} |", seen.join(", "))?;
            }
            writeln!(f)?;
        }
        for note in &self.notes {
            writeln!(f, "\n{note}")?;
        }
        Ok(())
    }
}
