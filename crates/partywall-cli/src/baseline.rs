//! What was found and is accepted, each with a reason: a file to commit, which `check` and `prove` share.

use std::{collections::BTreeSet, io::Write as _, path::Path};

use partywall_audit::{Attack, Fault};
use serde::{Deserialize, Serialize};

use crate::{
    Verdict,
    failure::Failure,
    terminal::{BOLD, Terminal, one_line, paint},
};

/// What was accepted.
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
    /// The fault (`SEQ_SHARED`), or the attack (`sequence`).
    pub(crate) id: String,
    /// What has it, as the finding says; of an attack, the table.
    pub(crate) object: String,
    /// Why it may be so.
    pub(crate) reason: String,
}

impl Entry {
    /// One that nobody gave a reason for yet.
    pub(crate) fn found(id: &str, object: &str) -> Self {
        Self {
            id: id.to_owned(),
            object: object.to_owned(),
            reason: String::new(),
        }
    }

    /// Whether this is what was accepted.
    pub(crate) fn is_for(&self, id: &str, object: &str) -> bool {
        self.id == id && self.object == object
    }

    /// Whether it is an attack, which `prove` finds, and not a fault, which `check` does.
    pub(crate) fn is_attack(&self) -> bool {
        Attack::named(&self.id).is_some()
    }
}

const FORM: &str = "it has `version = 1`, and for each accepted finding or breach `[[accepted]]` with `id`, `object` and `reason`";

impl Baseline {
    /// Reads one whose entries are filled in.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Failure::invalid(
                    format!("there is no baseline `{}`", path.display()),
                    "make one: partywall check --baseline FILE --write-baseline, and the same of prove",
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
            if Fault::named(id).is_none() && !entry.is_attack() {
                return Err(Failure::invalid(
                    format!("`{place}` accepts `{id}`, which is no fault and no attack"),
                    "`partywall explain` lists the faults, `partywall prove` the attacks",
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

/// That nobody said which file it is.
pub(crate) fn where_to() -> Failure {
    Failure::invalid(
        "--write-baseline needs to know where",
        "add --baseline partywall-baseline.toml",
    )
}

/// Writes what is found now, of one command. Reasons that were given stay, what it no longer finds goes, and what the
/// other command found is left as it is.
pub(crate) fn write(
    path: &Path,
    found: Vec<Entry>,
    are_attacks: bool,
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
    let (others, own): (Vec<Entry>, Vec<Entry>) = before
        .into_iter()
        .partition(|entry| entry.is_attack() != are_attacks);
    let mut accepted: Vec<Entry> = found
        .into_iter()
        .map(|mut entry| {
            if let Some(known) = own.iter().find(|it| it.is_for(&entry.id, &entry.object)) {
                entry.reason.clone_from(&known.reason);
            }
            entry
        })
        .collect();
    let at = if are_attacks { 0 } else { accepted.len() };
    accepted.splice(at..at, others);
    let open: Vec<&Entry> = accepted
        .iter()
        .filter(|entry| entry.reason.trim().is_empty())
        .collect();
    let mut text = String::from(
        "# What `partywall check` and `partywall prove` find, and what is accepted. Each says why; one that is no longer found fails.\nversion = 1\n",
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
