use serde::Serialize;

use crate::{Finding, Inferred, Options, Severity, subject::Subject};

/// What an audit found. As JSON it is the one stable, versioned document of `partywall check --json`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Of the document's shape: 1.
    pub version: u32,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// What remains by design of a shared server, which no schema mends.
    pub residual: Vec<Finding>,
    /// What was taken for granted, and why.
    pub inferred: Inferred,
}

impl Report {
    pub(super) fn new(mut found: Vec<Finding>, subject: &Subject, options: &Options) -> Self {
        found.sort();
        found.dedup();
        let (residual, findings) = found
            .into_iter()
            .partition(|finding| finding.id.is_residual() && !options.strict);
        Self {
            version: 1,
            findings,
            residual,
            inferred: subject.inferred.clone(),
        }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The worst of what was found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).min()
    }
}
