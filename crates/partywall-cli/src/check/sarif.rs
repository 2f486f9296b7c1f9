use std::path::Path;

use partywall_audit::{Fault, Finding, Severity};
use serde_json::{Value, json};

use super::{document::Document, level::name};
use crate::explain;

/// The findings as SARIF 2.1.0 (OASIS), which code scanning of GitHub, GitLab and Azure reads.
///
/// A finding is in a database and has no line. It is located by its name (`logicalLocations`), and for readers that ask
/// for a file, as GitHub does, at the configuration's first line.
pub(super) fn log(document: &Document, file: &Path) -> Value {
    let results: Vec<Value> = document
        .findings
        .iter()
        .map(|finding| result(finding, file, None))
        .chain(
            document
                .accepted
                .iter()
                .map(|accepted| result(&accepted.finding, file, Some(&accepted.reason))),
        )
        .collect();
    let stale: Vec<Value> = document
        .stale
        .iter()
        .map(|entry| {
            json!({
                "level": "error",
                "message": { "text": format!("the baseline accepts {} of {}, which is no longer found: take the entry out", entry.id, entry.object) },
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "partywall",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Fault::ALL.iter().map(|fault| rule(*fault)).collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": stale,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(fault: Fault) -> Value {
    let text = explain::text(fault);
    let score = match fault.severity() {
        Severity::High => "8.6",
        Severity::Medium => "5.5",
        Severity::Low => "3.1",
        Severity::Perf => "0.0",
        _ => "5.0",
    };
    json!({
        "id": fault.id(),
        "name": pascal(fault.id()),
        "shortDescription": { "text": fault.title() },
        "fullDescription": { "text": text.what },
        "help": {
            "text": format!("{}\n\nExploit: {}\n\nFix: {}", text.what, text.exploit, text.fix),
            "markdown": format!("{}\n\n**Exploit.** {}\n\n**Fix.** {}", text.what, text.exploit, text.fix),
        },
        "defaultConfiguration": { "level": level(fault.severity()) },
        "properties": {
            "tags": if fault.severity() == Severity::Perf { json!(["performance"]) } else { json!(["security", "multi-tenancy"]) },
            "precision": "very-high",
            "security-severity": score,
            "problem.severity": level(fault.severity()),
        },
    })
}

fn result(finding: &Finding, file: &Path, accepted: Option<&str>) -> Value {
    let index = Fault::ALL.iter().position(|fault| *fault == finding.id);
    let mut result = json!({
        "ruleId": finding.id.id(),
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": format!("{}: {}\n\n{}", finding.object, finding.why, finding.fix) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(file) },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{ "fullyQualifiedName": finding.object }],
        }],
        "partialFingerprints": { "partywall/v1": format!("{} {}", finding.id, finding.object) },
        "properties": {
            "severity": name(finding.severity),
            "fix": finding.fix,
            "tables": finding.tables,
        },
    });
    if let (Some(reason), Some(result)) = (accepted, result.as_object_mut()) {
        result.insert(
            "suppressions".to_owned(),
            json!([{ "kind": "external", "status": "accepted", "justification": reason }]),
        );
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Perf => "note",
        _ => "warning",
    }
}

/// A path as a relative reference (RFC 3986): what is special there is encoded.
fn uri(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = String::new();
    for byte in path
        .to_string_lossy()
        .replace('\\', "/")
        .trim_start_matches("./")
        .bytes()
    {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            uri.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// `RLS_OFF` as `RlsOff`.
fn pascal(id: &str) -> String {
    id.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .into_iter()
                .chain(letters.flat_map(char::to_lowercase).collect::<Vec<_>>())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_sarif_wants_them() {
        assert_eq!(pascal("PERF_INITPLAN_PARTITION"), "PerfInitplanPartition");
        assert_eq!(uri(Path::new("./a b/c.toml")), "a%20b/c.toml");
    }
}
