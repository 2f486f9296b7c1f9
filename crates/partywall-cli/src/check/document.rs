use partywall_audit::{Finding, Inferred, Report, Severity};
use serde::Serialize;

use super::Level;
use crate::baseline::{Baseline, Entry};

/// What `check` came to: the audit's report, and what of it was accepted. As JSON it is the document of `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    version: u32,
    /// What is wrong, the worst first.
    pub(super) findings: Vec<Finding>,
    /// What was taken for granted.
    pub(super) inferred: Inferred,
    /// What remains by design.
    pub(super) residual: Vec<Finding>,
    /// What was found and is accepted.
    pub(super) accepted: Vec<Accepted>,
    /// What was accepted and is no longer found.
    pub(super) stale: Vec<Entry>,
}

/// A finding that was accepted.
#[derive(Debug, Serialize)]
pub(super) struct Accepted {
    #[serde(flatten)]
    pub(super) finding: Finding,
    /// Why it may be so.
    pub(super) reason: String,
}

impl Document {
    /// Holds what was found against what was accepted. Where only some schemas were looked at, what is not found may be
    /// in the others, and nothing is stale.
    pub(super) fn new(report: Report, baseline: Option<Baseline>, is_partial: bool) -> Self {
        let mut entries = baseline
            .map(|baseline| baseline.accepted)
            .unwrap_or_default();
        // Those of `prove` are its own.
        entries.retain(|entry| !entry.is_attack());
        let mut findings = Vec::new();
        let mut accepted = Vec::new();
        let mut is_found = vec![false; entries.len()];
        let mut mark = |finding: &Finding| {
            let mut reason = None;
            for (entry, found) in entries.iter().zip(&mut is_found) {
                if entry.is_for(finding.id.id(), &finding.object) {
                    *found = true;
                    reason = Some(entry.reason.clone());
                }
            }
            reason
        };
        for finding in report.findings {
            match mark(&finding) {
                Some(reason) => accepted.push(Accepted { finding, reason }),
                None => findings.push(finding),
            }
        }
        for finding in &report.residual {
            let _ = mark(finding);
        }
        let stale = entries
            .iter()
            .zip(is_found)
            .filter(|(_, found)| !found && !is_partial)
            .map(|(entry, _)| entry.clone())
            .collect();
        Self {
            version: report.version,
            findings,
            inferred: report.inferred,
            residual: report.residual,
            accepted,
            stale,
        }
    }

    /// Whether it is to end with 2.
    pub(super) fn fails(&self, level: Level) -> bool {
        !self.stale.is_empty()
            || self
                .findings
                .iter()
                .any(|finding| level.counts(finding.severity))
    }

    /// What is not known, so that there was nothing to hold against anything.
    pub(super) fn nothing_to_check(&self) -> Option<&'static str> {
        if self.inferred.root.is_none() && self.inferred.tenant_columns.is_empty() {
            Some("it is not known which rows are tenants' (--tenant-column)")
        } else if self.inferred.app_roles.is_empty() {
            Some("it is not known which role the application runs as (--app-role)")
        } else {
            None
        }
    }

    /// How many findings there are of a severity.
    pub(super) fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}

/// Severities, the worst first.
pub(super) const SEVERITIES: [Severity; 4] = [
    Severity::High,
    Severity::Medium,
    Severity::Low,
    Severity::Perf,
];
