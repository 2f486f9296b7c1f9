use std::io::Write;

use partywall_audit::{Finding, Inferred, Taken};

use super::{
    document::{Document, SEVERITIES},
    level::name,
};
use crate::{
    failure::Failure,
    terminal::{
        BOLD, CODE, DIM, GOOD, HIGH, Terminal, WARN, columns, of, one_line, paint, shown, wrapped,
    },
};

/// Writes the findings for people, the worst first.
pub(super) fn write(
    terminal: &mut Terminal,
    document: &Document,
    place: &str,
    server: &str,
) -> Result<(), Failure> {
    writeln!(
        terminal,
        "{}",
        paint(DIM, format!("{}, PostgreSQL {server}", one_line(place)))
    )?;
    for severity in SEVERITIES {
        let count = document.count(severity);
        if count == 0 {
            continue;
        }
        let title = format!("{} ({count})", name(severity).to_uppercase());
        writeln!(terminal, "\n{}", paint(of(severity), title))?;
        for finding in document
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
        {
            one(terminal, finding)?;
        }
    }
    for entry in &document.stale {
        writeln!(
            terminal,
            "\n{} {} {}\n    The baseline accepts this, and it is no longer found: take the entry out.",
            paint(HIGH, "STALE"),
            entry.id,
            one_line(&entry.object)
        )?;
    }
    if !document.accepted.is_empty() {
        writeln!(
            terminal,
            "\n{}",
            paint(BOLD, format!("Accepted ({})", document.accepted.len()))
        )?;
        for accepted in &document.accepted {
            let text = format!(
                "{} {}: {}",
                accepted.finding.id, accepted.finding.object, accepted.reason
            );
            writeln!(terminal, "{}", wrapped(&text, 2, terminal.width()))?;
        }
    }
    inferred(terminal, &document.inferred)?;
    if !document.residual.is_empty() {
        writeln!(
            terminal,
            "\n{}",
            paint(
                BOLD,
                "Remains by design of a shared server (--strict counts it as a finding)"
            )
        )?;
        for finding in &document.residual {
            let title = finding.id.title();
            writeln!(terminal, "  {:<16} {title}", finding.id.id())?;
        }
    }
    writeln!(terminal, "\n{}", summary(document))?;
    Ok(())
}

fn one(terminal: &mut Terminal, finding: &Finding) -> Result<(), Failure> {
    let width = terminal.width();
    writeln!(
        terminal,
        "\n  {} {}",
        paint(of(finding.severity), finding.id),
        paint(BOLD, one_line(&finding.object))
    )?;
    writeln!(terminal, "{}", wrapped(&finding.why, 4, width))?;
    if !finding.fix.is_empty() {
        // As it stands, without wrapping: it is to be pasted.
        for line in shown(finding.fix.trim_end()).lines() {
            writeln!(terminal, "      {}", paint(CODE, line))?;
        }
    }
    let others: Vec<&str> = finding
        .tables
        .iter()
        .map(String::as_str)
        .filter(|table| *table != finding.object)
        .collect();
    if !others.is_empty() {
        let shows = 8;
        let mut text = format!(
            "tables: {}",
            others
                .iter()
                .take(shows)
                .copied()
                .collect::<Vec<_>>()
                .join(", ")
        );
        if others.len() > shows {
            text.push_str(&format!(" and {} more", others.len() - shows));
        }
        writeln!(terminal, "{}", paint(DIM, wrapped(&text, 4, width)))?;
    }
    Ok(())
}

/// Says what was taken for granted: whoever reads the findings can tell where it is wrong.
pub(crate) fn inferred(terminal: &mut Terminal, inferred: &Inferred) -> Result<(), Failure> {
    let width = terminal.width();
    writeln!(terminal, "\n{}", paint(BOLD, "Taken for granted"))?;
    let root: Vec<Taken> = inferred.root.iter().cloned().collect();
    let groups: [(&str, &[Taken], &str); 5] = [
        (
            "tenants",
            &root,
            "not found: name the column with --tenant-column",
        ),
        (
            "tenant column",
            &inferred.tenant_columns,
            "none: name it with --tenant-column",
        ),
        (
            "app role",
            &inferred.app_roles,
            "none: name it with --app-role",
        ),
        (
            "context",
            &inferred.contexts,
            "none: name the setting with --context",
        ),
        ("global table", &inferred.globals, ""),
    ];
    for (title, taken, none) in groups {
        if taken.is_empty() && !none.is_empty() {
            writeln!(terminal, "  {title:<14} {}", paint(WARN, none))?;
        }
        for (at, it) in taken.iter().enumerate() {
            if at == LISTED {
                writeln!(
                    terminal,
                    "  {:<14} {}",
                    "",
                    paint(
                        DIM,
                        format!("and {} more: see --json", taken.len() - LISTED)
                    )
                )?;
                break;
            }
            let title = if at == 0 { title } else { "" };
            assumed(
                terminal,
                &format!("  {title:<14} "),
                &it.value,
                &it.because,
                width,
            )?;
        }
    }
    for (table, why) in inferred.undecided.iter().take(LISTED) {
        assumed(
            terminal,
            &format!("  {} ", paint(WARN, "undecided     ")),
            table,
            why,
            width,
        )?;
    }
    if inferred.undecided.len() > LISTED {
        writeln!(
            terminal,
            "  {:<14} {}",
            "",
            paint(
                DIM,
                format!(
                    "and {} more undecided: see --json",
                    inferred.undecided.len() - LISTED
                )
            )
        )?;
    }
    Ok(())
}

/// Writes one, with its reason beside it where there is room, and below it otherwise.
fn assumed(
    terminal: &mut Terminal,
    title: &str,
    value: &str,
    because: &str,
    width: usize,
) -> Result<(), Failure> {
    let (value, because) = (one_line(value), one_line(because));
    if TITLE + columns(&value) + 2 + columns(&because) <= width {
        writeln!(terminal, "{title}{value}  {}", paint(DIM, because))?;
    } else {
        writeln!(terminal, "{title}{value}")?;
        writeln!(
            terminal,
            "{}",
            paint(DIM, wrapped(&because, TITLE + 2, width))
        )?;
    }
    Ok(())
}

/// How far values are indented.
const TITLE: usize = 17;

/// How many of a kind are listed.
const LISTED: usize = 12;

fn summary(document: &Document) -> String {
    let is_clean = document.findings.is_empty() && document.stale.is_empty();
    if is_clean && document.nothing_to_check().is_some() {
        return format!("{} nothing was checked", paint(WARN, "?"));
    }
    if is_clean {
        return format!("{} {}", paint(GOOD, "✓"), paint(BOLD, "no fault was found"))
            + if document.accepted.is_empty() {
                ""
            } else {
                " that was not accepted"
            };
    }
    let mut parts: Vec<String> = SEVERITIES
        .iter()
        .filter(|severity| document.count(**severity) > 0)
        .map(|severity| {
            paint(
                of(*severity),
                format!("{} {}", document.count(*severity), name(*severity)),
            )
            .to_string()
        })
        .collect();
    if !document.stale.is_empty() {
        parts.push(paint(HIGH, format!("{} stale", document.stale.len())).to_string());
    }
    let mut text = format!("{} {}", paint(HIGH, "✗"), parts.join(", "));
    if let Some(first) = document.findings.first() {
        text.push_str(&format!(
            "   {}",
            paint(DIM, format!("more on each: partywall explain {}", first.id))
        ));
    }
    text
}
