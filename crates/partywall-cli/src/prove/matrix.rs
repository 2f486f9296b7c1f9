use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
};

use partywall_audit::{Attack, Outcome, Proof, TableProof};

use super::{
    attack::{code, name},
    standing::{Standing, roles},
};
use crate::{
    baseline::Entry,
    check,
    failure::Failure,
    terminal::{
        BOLD, CODE, DIM, GOOD, HIGH, Terminal, WARN, columns, fitted, one_line, paint, shown,
        wrapped,
    },
};

/// Tables against attacks, a line for each table as it is through.
pub(super) struct Matrix {
    name: usize,
    begun: bool,
    roles: BTreeSet<String>,
}

impl Matrix {
    pub(super) fn new(width: usize) -> Self {
        Self {
            name: width.saturating_sub(2 * Attack::ALL.len()).max(16),
            begun: false,
            roles: BTreeSet::new(),
        }
    }

    /// Writes the line of a table, or a line for each role.
    pub(super) fn table(
        &mut self,
        terminal: &mut Terminal,
        table: &TableProof,
    ) -> Result<(), Failure> {
        if !self.begun {
            self.begun = true;
            for (row, title) in ["table", ""].into_iter().enumerate() {
                let heads: String = Attack::ALL
                    .iter()
                    .filter_map(|attack| code(*attack).get(row).map(|letter| format!(" {letter}")))
                    .collect();
                let title = paint(BOLD, fitted(title, self.name));
                writeln!(terminal, "{title}{}", paint(DIM, heads))?;
            }
        }
        let roles = roles(table);
        let many = roles.len() > 1;
        self.roles
            .extend(roles.iter().map(|role| (*role).to_owned()));
        for role in roles {
            let name = if many {
                let role = format!(" as {role}");
                let room = self.name.saturating_sub(columns(&one_line(&role))).max(8);
                fitted(
                    &format!("{}{role}", fitted(&table.table, room).trim_end()),
                    self.name,
                )
            } else {
                fitted(&table.table, self.name)
            };
            write!(terminal, "{name}")?;
            for attack in Attack::ALL {
                let standing = Standing::among(table, role, *attack);
                let style = match standing {
                    Standing::Absent => DIM,
                    Standing::Held => GOOD,
                    Standing::Accepted | Standing::NotRun => WARN,
                    Standing::Breach => HIGH,
                };
                write!(terminal, " {}", paint(style, standing.symbol()))?;
            }
            writeln!(terminal)?;
        }
        terminal.flush()?;
        Ok(())
    }

    /// Writes what the signs mean, the breaches, what could not run, and the sum.
    pub(super) fn end(
        &self,
        terminal: &mut Terminal,
        proof: &Proof,
        stale: &[Entry],
    ) -> Result<(), Failure> {
        let width = terminal.width();
        if self.begun {
            let legend = Attack::ALL
                .iter()
                .map(|attack| {
                    let [first, second] = code(*attack);
                    format!("{first}{second} {}", name(*attack)).replace(' ', "\u{e000}")
                })
                .collect::<Vec<_>>()
                .join(", ");
            let legend = wrapped(&legend, 2, width).replace('\u{e000}', " ");
            writeln!(terminal, "\n{}", paint(DIM, legend))?;
            writeln!(
                terminal,
                "  {} held   {} breach   {} not run   {} nothing to attack",
                paint(GOOD, Standing::Held.symbol()),
                paint(HIGH, Standing::Breach.symbol()),
                paint(WARN, Standing::NotRun.symbol()),
                paint(DIM, Standing::Absent.symbol())
            )?;
        }
        breaches(terminal, proof)?;
        accepted(terminal, proof, stale)?;
        not_run(terminal, proof)?;
        if self.begun {
            writeln!(
                terminal,
                "\n{}",
                wrapped(
                    &format!(
                        "As {} against {}, in database {} of PostgreSQL {}, {}.",
                        context(&proof.attacker),
                        context(&proof.victim),
                        proof.database,
                        version(&proof.server),
                        proof.at
                    ),
                    0,
                    width
                )
            )?;
        }
        check::inferred(terminal, &proof.inferred)?;
        writeln!(terminal, "\n{}", summary(proof, stale.len()))?;
        Ok(())
    }
}

fn breaches(terminal: &mut Terminal, proof: &Proof) -> Result<(), Failure> {
    let width = terminal.width();
    for (at, (table, cell)) in proof.breaches().enumerate() {
        let Outcome::Breach { statement, what } = &cell.outcome else {
            continue;
        };
        if at == 0 {
            writeln!(terminal, "\n{}", paint(HIGH, "BREACHES"))?;
        }
        writeln!(
            terminal,
            "\n  {} {} {}",
            paint(HIGH, format!("✗ {}", name(cell.attack))),
            paint(BOLD, one_line(table)),
            paint(DIM, format!("as {}", one_line(&cell.role)))
        )?;
        writeln!(terminal, "{}", wrapped(what, 4, width))?;
        for line in shown(statement.trim_end()).lines() {
            writeln!(terminal, "      {}", paint(CODE, line))?;
        }
        if !cell.control.is_empty() {
            writeln!(
                terminal,
                "{}",
                paint(
                    DIM,
                    wrapped(&format!("control: {}", cell.control), 4, width)
                )
            )?;
        }
    }
    Ok(())
}

/// What is accepted, and what was and held.
fn accepted(terminal: &mut Terminal, proof: &Proof, stale: &[Entry]) -> Result<(), Failure> {
    let width = terminal.width();
    let cells = proof
        .tables
        .iter()
        .flat_map(|table| table.cells.iter().map(move |cell| (&table.table, cell)));
    let mut begun = false;
    for (table, cell) in cells {
        let Some(reason) = &cell.accepted else {
            continue;
        };
        if !begun {
            begun = true;
            writeln!(terminal, "\n{}", paint(BOLD, "ACCEPTED"))?;
        }
        let what = format!(
            "! {} {} as {}: {reason}",
            name(cell.attack),
            one_line(table),
            one_line(&cell.role)
        );
        writeln!(terminal, "{}", wrapped(&what, 2, width))?;
    }
    for (at, entry) in stale.iter().enumerate() {
        if at == 0 {
            writeln!(
                terminal,
                "\n{}",
                paint(HIGH, "ACCEPTED, and it held: take it out of the baseline")
            )?;
        }
        writeln!(terminal, "  {} {}", entry.id, one_line(&entry.object))?;
    }
    Ok(())
}

/// What could not run, by reason: one cause often stops many.
fn not_run(terminal: &mut Terminal, proof: &Proof) -> Result<(), Failure> {
    let reasons = reasons(proof);
    if reasons.is_empty() {
        return Ok(());
    }
    let width = terminal.width();
    writeln!(
        terminal,
        "\n{}",
        paint(WARN, "NOT RUN, so nothing is known")
    )?;
    for (why, places) in reasons {
        writeln!(terminal, "{}", wrapped(&format!("? {why}"), 2, width))?;
        let mut tables: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (table, attack) in &places {
            let attacks = tables.entry(one_line(table)).or_default();
            if !attacks.contains(&attack.as_str()) {
                attacks.push(attack);
            }
        }
        let mut text: Vec<String> = tables
            .iter()
            .take(6)
            .map(|(table, attacks)| format!("{table} ({})", attacks.join(", ")))
            .collect();
        if tables.len() > 6 {
            text.push(format!("and {} more tables", tables.len() - 6));
        }
        writeln!(
            terminal,
            "{}",
            paint(DIM, wrapped(&text.join("; "), 4, width))
        )?;
    }
    Ok(())
}

/// Why attacks did not run, and where each reason counts.
pub(super) fn reasons(proof: &Proof) -> BTreeMap<String, Vec<(String, String)>> {
    let mut reasons: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for table in &proof.tables {
        for cell in &table.cells {
            if let Outcome::NotRun { why } = &cell.outcome {
                reasons
                    .entry(why.clone())
                    .or_default()
                    .push((table.table.clone(), name(cell.attack)));
            }
        }
    }
    reasons
}

/// The number in what a server writes of its version: `15.18 (Debian 15.18-0)`.
pub(super) fn version(text: &str) -> &str {
    let text = text.strip_prefix("PostgreSQL ").unwrap_or(text);
    text.split_once(" on ").map_or(text, |(version, _)| version)
}

/// A context for people.
pub(super) fn context(context: &[(String, String)]) -> String {
    if context.is_empty() {
        return "nobody".to_owned();
    }
    context
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How many cells there are of a standing.
pub(super) fn count(proof: &Proof, standing: Standing) -> usize {
    proof
        .tables
        .iter()
        .flat_map(|table| &table.cells)
        .filter(|cell| Standing::of(cell) == standing)
        .count()
}

fn summary(proof: &Proof, stale: usize) -> String {
    let [breaches, accepted, not_run, held] = [
        Standing::Breach,
        Standing::Accepted,
        Standing::NotRun,
        Standing::Held,
    ]
    .map(|standing| count(proof, standing));
    let tables = proof.tables.len();
    let mut rest = format!("{held} attacks held on {tables} tables");
    if accepted > 0 {
        rest.push_str(&format!(", {accepted} accepted"));
    }
    let unknown = match not_run {
        0 => String::new(),
        _ => format!(", {}", paint(WARN, format!("{not_run} not run"))),
    };
    if breaches == 0 && stale > 0 {
        format!(
            "{}, {rest}{unknown}",
            paint(HIGH, format!("✗ {stale} stale"))
        )
    } else if breaches > 0 {
        format!(
            "{}, {rest}{unknown}",
            paint(HIGH, format!("✗ {breaches} breaches"))
        )
    } else if held == 0 {
        format!(
            "{}{unknown}",
            paint(
                WARN,
                "? nothing was attacked: no table of tenants was found, or none could be reached"
            )
        )
    } else {
        format!("{}, {rest}{unknown}", paint(GOOD, "✓ no breach"))
    }
}
