//! `partywall explain`: what a fault is, how it is exploited and how it is mended.

mod named;

use std::{collections::BTreeMap, io::Write as _, sync::LazyLock};

use clap::Args;
use partywall_audit::Fault;
use serde::{Deserialize, Serialize};

use self::named::Named;
use crate::{
    Verdict,
    args::Common,
    failure::Failure,
    terminal::{BOLD, CODE, DIM, Terminal, of, paint, wrapped},
};

/// Say what a fault is, how it is exploited and how it is mended
///
/// Without an id, lists all faults.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The fault, such as RLS_OFF
    #[arg(value_name = "ID", hide_possible_values = true, value_parser = Named)]
    ids: Vec<Fault>,
}

/// What there is to say of a fault.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    /// What it is and why it matters.
    pub(crate) what: String,
    /// What an attacker runs.
    pub(crate) exploit: String,
    /// How it is mended.
    pub(crate) fix: String,
}

static TEXTS: LazyLock<BTreeMap<String, Text>> =
    LazyLock::new(|| toml::from_str(include_str!("faults.toml")).unwrap_or_default());

/// The text of a fault; a test sees to it that each has one.
pub(crate) fn text(fault: Fault) -> Text {
    TEXTS.get(fault.id()).cloned().unwrap_or_default()
}

/// A fault as JSON.
#[derive(Serialize)]
struct Explained {
    id: Fault,
    severity: partywall_audit::Severity,
    title: &'static str,
    #[serde(flatten)]
    text: Text,
}

pub(crate) fn run(
    common: &Common,
    args: &ExplainArgs,
    terminal: &mut Terminal,
) -> Result<Verdict, Failure> {
    let asked = &args.ids;
    if common.json {
        let of = if asked.is_empty() { Fault::ALL } else { asked };
        let faults: Vec<Explained> = of
            .iter()
            .map(|fault| Explained {
                id: *fault,
                severity: fault.severity(),
                title: fault.title(),
                text: text(*fault),
            })
            .collect();
        terminal.json(&serde_json::json!({ "version": 1, "faults": faults }))?;
        return Ok(Verdict::Fine);
    }
    if asked.is_empty() {
        for fault in Fault::ALL {
            writeln!(
                terminal,
                "{} {}",
                paint(of(fault.severity()), format!("{:<24}", fault.id())),
                fault.title()
            )?;
        }
        writeln!(
            terminal,
            "\n{}",
            paint(DIM, "more on one: partywall explain RLS_OFF")
        )?;
        return Ok(Verdict::Fine);
    }
    let width = terminal.width();
    for (at, fault) in asked.iter().enumerate() {
        let text = text(*fault);
        if at > 0 {
            writeln!(terminal)?;
        }
        writeln!(
            terminal,
            "{} {}\n{}",
            paint(of(fault.severity()), fault.id()),
            paint(DIM, format!("({})", severity(*fault))),
            paint(BOLD, wrapped(fault.title(), 0, width))
        )?;
        writeln!(terminal, "\n{}", wrapped(&text.what, 2, width))?;
        writeln!(terminal, "\n  {}", paint(BOLD, "Exploit"))?;
        writeln!(terminal, "{}", code(&text.exploit, width))?;
        writeln!(terminal, "\n  {}", paint(BOLD, "Fix"))?;
        writeln!(terminal, "{}", code(&text.fix, width))?;
    }
    Ok(Verdict::Fine)
}

fn severity(fault: Fault) -> &'static str {
    use partywall_audit::Severity;
    match fault.severity() {
        Severity::High => "high: rows of another tenant can be read or written",
        Severity::Medium => {
            "medium: something of another tenant leaks, or one more mistake opens the wall"
        }
        Severity::Low => "low: a small leak, an outage, or a mistake waiting to happen",
        Severity::Perf => "perf: the wall holds, and makes queries slow",
        _ => "",
    }
}

/// Prose is wrapped; a line between backticks is a statement, and stands by itself.
fn code(text: &str, width: usize) -> String {
    text.lines()
        .map(|line| {
            match line
                .strip_prefix('`')
                .and_then(|line| line.strip_suffix('`'))
            {
                Some(statement) if !statement.contains('`') => {
                    format!("      {}", paint(CODE, statement))
                }
                _ => wrapped(line, 4, width),
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_explained_and_nothing_else() {
        let texts: BTreeMap<String, Text> = toml::from_str(include_str!("faults.toml")).unwrap();
        for fault in Fault::ALL {
            let text = texts.get(fault.id()).unwrap_or_else(|| panic!("{fault}"));
            assert!(text.what.len() > 60, "{fault}");
            assert!(text.exploit.len() > 15 && text.fix.len() > 15, "{fault}");
        }
        assert_eq!(texts.len(), Fault::ALL.len());
    }
}
