use std::io::Write;

use partywall_audit::Severity;

use super::document::Document;
use crate::failure::Failure;

/// Writes workflow commands, which GitHub shows as annotations. A line break or a percent sign would end or change one,
/// so they are escaped as GitHub's own toolkit escapes them.
pub(super) fn write(out: &mut impl Write, document: &Document) -> Result<(), Failure> {
    for finding in &document.findings {
        let command = match finding.severity {
            Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low | Severity::Perf => "notice",
            _ => "warning",
        };
        writeln!(
            out,
            "::{command} title={}::{}",
            property(&format!("{} {}", finding.id, finding.object)),
            data(&format!("{}\n\nfix:\n{}", finding.why, finding.fix))
        )?;
    }
    for entry in &document.stale {
        writeln!(
            out,
            "::error title={}::{}",
            property(&format!("stale: {} {}", entry.id, entry.object)),
            data("The baseline accepts this, and it is no longer found: take the entry out.")
        )?;
    }
    let stale = match document.stale.len() {
        0 => String::new(),
        many => format!(", {many} stale in the baseline"),
    };
    writeln!(out, "partywall: {} found{stale}", document.findings.len())?;
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_begin_a_command_of_its_own() {
        assert_eq!(
            property("a\n::set-env name=x,y::100%"),
            "a%0A%3A%3Aset-env name=x%2Cy%3A%3A100%25"
        );
        assert_eq!(data("a\r\nb: 1, 2"), "a%0D%0Ab: 1, 2");
    }
}
