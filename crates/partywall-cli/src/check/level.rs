use clap::ValueEnum;
use partywall_audit::Severity;
use serde::Deserialize;

/// From which severity on a finding fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Rows of another tenant can be read or written
    High,
    /// Something of another tenant leaks, and what is worse
    Medium,
    /// A small leak, an outage, a mistake waiting to happen, and what is worse
    Low,
    /// Anything, slow queries too
    #[default]
    Perf,
}

impl Level {
    /// Whether a finding of this severity fails.
    pub(super) fn counts(self, severity: Severity) -> bool {
        let least = match self {
            Self::High => Severity::High,
            Self::Medium => Severity::Medium,
            Self::Low => Severity::Low,
            Self::Perf => Severity::Perf,
        };
        severity <= least
    }
}

/// The name of a severity.
pub(super) fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Perf => "perf",
        _ => "other",
    }
}
