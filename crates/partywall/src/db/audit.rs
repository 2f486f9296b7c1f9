//! The audit of the live database when connecting.

use std::fmt;

use partywall_audit::{Finding, Severity, check};

use super::ConnectError;
use crate::{connect::Connector, schema::Schema};

/// The ways from one tenant to another that an audit found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// The single findings, each with its fix.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, finding) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{} on {}: {}", finding.id, finding.object, finding.why)?;
        }
        Ok(())
    }
}

/// Audits with a login of the schema's, on a connection of its own.
///
/// # Errors
///
/// [`ConnectError::Audit`] for what is severe, [`ConnectError::NotAudited`].
pub(super) async fn audit(connector: &Connector, schema: &Schema) -> Result<(), ConnectError> {
    let mut client = connector.connect().await?;
    let report = check(&mut client, &schema.map().options()).await?;
    let (severe, others): (Vec<Finding>, Vec<Finding>) = report
        .findings
        .into_iter()
        .partition(|finding| finding.severity == Severity::High);
    for finding in others {
        tracing::warn!(
            id = finding.id.id(),
            object = finding.object,
            why = finding.why,
            "the audit found something"
        );
    }
    if severe.is_empty() {
        Ok(())
    } else {
        Err(ConnectError::Audit(Findings(severe)))
    }
}
