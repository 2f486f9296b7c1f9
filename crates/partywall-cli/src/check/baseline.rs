use std::{collections::BTreeSet, io::Write as _, path::Path};

use partywall_audit::{Fault, Finding, Report};
use serde::{Deserialize, Serialize};

use crate::{
    Verdict,
    failure::Failure,
    terminal::{BOLD, Terminal, one_line, paint},
};

/// Findings that were accepted: a file to commit.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    version: u32,
    #[serde(default)]
    pub(crate) accepted: Vec<Entry>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The fault.
    pub(crate) id: String,
    /// What has it, as the finding says.
    pub(crate) object: String,
    /// Why it may be so.
    pub(crate) reason: String,
}

impl Entry {
    /// Whether this is what was accepted.
    pub(crate) fn is_for(&self, finding: &Finding) -> bool {
        self.id == finding.id.id() && self.object == finding.object
    }
}

const FORM: &str = "it has `version = 1`, and for each accepted finding `[[accepted]]` with `id`, `object` and `reason`";

impl Baseline {
    /// Reads one whose entries are filled in.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Failure::invalid(
                    format!("there is no baseline `{}`", path.display()),
                    "make one: partywall check --baseline FILE --write-baseline",
                ));
            }
            read => read.map_err(|source| Failure::File {
                doing: "read",
                path: path.to_owned(),
                source,
            })?,
        };
        let baseline = Self::parse(&text, path)?;
        let mut seen = BTreeSet::new();
        for entry in &baseline.accepted {
            let Entry { id, object, reason } = entry;
            let place = path.display();
            if Fault::named(id).is_none() {
                return Err(Failure::invalid(
                    format!("`{place}` accepts `{id}`, which is no fault"),
                    "`partywall explain` lists them",
                ));
            }
            if reason.trim().is_empty() {
                return Err(Failure::invalid(
                    format!("`{place}` accepts {id} of `{object}` without a reason"),
                    "write into `reason` why it may be so; whoever reads it in a year wants to know",
                ));
            }
            if !seen.insert((id, object)) {
                return Err(Failure::invalid(
                    format!("`{place}` accepts {id} of `{object}` twice"),
                    "keep one of the two entries",
                ));
            }
        }
        Ok(baseline)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Failure> {
        let baseline: Self = toml::from_str(text).map_err(|error| {
            Failure::invalid(
                format!(
                    "`{}` is not a baseline: {}",
                    path.display(),
                    error.to_string().trim_end()
                ),
                FORM,
            )
        })?;
        if baseline.version == 1 {
            Ok(baseline)
        } else {
            Err(Failure::invalid(
                format!(
                    "`{}` is of version {}, which is not known",
                    path.display(),
                    baseline.version
                ),
                FORM,
            ))
        }
    }
}

/// Writes what is found now. Reasons that were given stay; what is no longer found goes.
pub(super) fn write(
    path: &Path,
    report: &Report,
    terminal: &mut Terminal,
) -> Result<Verdict, Failure> {
    let before = match std::fs::read_to_string(path) {
        Ok(text) => Baseline::parse(&text, path)?.accepted,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(source) => {
            return Err(Failure::File {
                doing: "read",
                path: path.to_owned(),
                source,
            });
        }
    };
    let accepted: Vec<Entry> = report
        .findings
        .iter()
        .map(|finding| Entry {
            id: finding.id.id().to_owned(),
            object: finding.object.clone(),
            reason: before
                .iter()
                .find(|entry| entry.is_for(finding))
                .map(|entry| entry.reason.clone())
                .unwrap_or_default(),
        })
        .collect();
    let open: Vec<&Entry> = accepted
        .iter()
        .filter(|entry| entry.reason.trim().is_empty())
        .collect();
    let mut text = String::from(
        "# Findings of `partywall check` that were accepted. Each says why; one that is no longer found fails.\nversion = 1\n",
    );
    for entry in &accepted {
        let table = toml::to_string(entry)
            .map_err(|error| Failure::refused(format!("cannot write the baseline: {error}"), ""))?;
        text.push_str("\n[[accepted]]\n");
        text.push_str(&table);
    }
    std::fs::write(path, text).map_err(|source| Failure::File {
        doing: "write",
        path: path.to_owned(),
        source,
    })?;
    writeln!(
        terminal,
        "{}: {} accepted, {} without a reason yet",
        paint(BOLD, path.display()),
        accepted.len(),
        open.len()
    )?;
    for entry in &open {
        writeln!(terminal, "  {} {}", entry.id, one_line(&entry.object))?;
    }
    if !open.is_empty() {
        writeln!(
            terminal,
            "Fill in each `reason`, and commit the file: until then it is refused (exit code 3)."
        )?;
    }
    Ok(Verdict::Fine)
}
