use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

use partywall_audit::{Map, Plan, TableMap, Violation};

use super::phase::name;
use crate::{
    failure::Failure,
    terminal::{BOLD, CODE, DIM, GOOD, HIGH, Terminal, WARN, one_line, paint, shown, wrapped},
};

/// How many tables of a kind are listed: the file has them all.
const LISTED: usize = 12;

/// Shows what was decided, what was not, what is in the way, and what was written.
pub(super) fn write(
    terminal: &mut Terminal,
    plan: &Plan,
    wrote: &[PathBuf],
) -> Result<(), Failure> {
    let tenant = &plan.map.tenant;
    let root = match (&tenant.table, &tenant.key) {
        (Some(table), Some(key)) => format!("{table} ({key})"),
        (Some(table), None) => table.clone(),
        (None, _) => "not found: write it into `[tenant] table`".to_owned(),
    };
    writeln!(terminal, "{} {}", paint(BOLD, "Tenants"), one_line(&root))?;
    classes(terminal, &plan.map)?;
    violations(terminal, &plan.violations)?;
    if !plan.notes.is_empty() {
        let width = terminal.width();
        writeln!(
            terminal,
            "\n{} ({})",
            paint(WARN, "Left to you"),
            plan.notes.len()
        )?;
        for note in plan.notes.iter().take(LISTED) {
            let text = format!("{}: {}", note.object, note.what);
            writeln!(terminal, "{}", wrapped(&text, 2, width))?;
        }
        if plan.notes.len() > LISTED {
            let more = format!("and {} more: see plan.sql", plan.notes.len() - LISTED);
            writeln!(terminal, "  {}", paint(DIM, more))?;
        }
    }
    steps(terminal, plan)?;
    writeln!(terminal)?;
    for path in wrote {
        writeln!(
            terminal,
            "{} {}",
            paint(GOOD, "wrote"),
            paint(BOLD, path.strip_prefix(".").unwrap_or(path).display())
        )?;
    }
    writeln!(terminal, "{}", next(plan))?;
    Ok(())
}

fn steps(terminal: &mut Terminal, plan: &Plan) -> Result<(), Failure> {
    let mut phase = None;
    let mut listed = 0;
    for (at, step) in plan.steps.iter().enumerate() {
        if phase != Some(step.phase) {
            phase = Some(step.phase);
            listed = 0;
            let count = plan
                .steps
                .iter()
                .filter(|it| it.phase == step.phase)
                .count();
            writeln!(
                terminal,
                "\n{} ({count} steps)",
                paint(BOLD, format!("To {}", name(step.phase)))
            )?;
            writeln!(
                terminal,
                "{}",
                paint(DIM, wrapped(step.phase.before(), 2, terminal.width()))
            )?;
            if count > LISTED {
                writeln!(
                    terminal,
                    "  {}",
                    paint(DIM, format!("the first {LISTED}; plan.sql has all"))
                )?;
            }
        }
        listed += 1;
        if listed <= LISTED {
            writeln!(terminal, "  {:>3}  {}", at + 1, one_line(&step.name))?;
        }
    }
    Ok(())
}

fn next(plan: &Plan) -> String {
    if has_undecided(&plan.map) {
        return format!(
            "{} decide the undecided tables in partywall.toml, then run `partywall plan` again",
            paint(WARN, "!")
        );
    }
    if !plan.violations.is_empty() {
        return format!(
            "{} mend the rows that are in the way, then run `partywall plan` again",
            paint(WARN, "!")
        );
    }
    if plan.steps.is_empty() {
        return format!("{} there is nothing to do", paint(GOOD, "✓"));
    }
    format!(
        "{} review the files, then run `partywall apply`",
        paint(GOOD, "✓")
    )
}

fn classes(terminal: &mut Terminal, map: &Map) -> Result<(), Failure> {
    let mut classes: BTreeMap<u8, (&str, Vec<String>)> = BTreeMap::new();
    for (name, table) in &map.tables {
        let (order, title, text) = match table {
            TableMap::Tenant(column) => {
                (0, "By a column of their own", format!("{name} ({column})"))
            }
            TableMap::Through(column) => (1, "Through another row", format!("{name} ({column})")),
            TableMap::Global(why) => (2, "Of no tenant", format!("{name}: {why}")),
            TableMap::Undecided(why) => (3, "Undecided", format!("{name}: {why}")),
            _ => (4, "Other", name.clone()),
        };
        classes
            .entry(order)
            .or_insert_with(|| (title, Vec::new()))
            .1
            .push(text);
    }
    let width = terminal.width();
    for (order, (title, tables)) in classes {
        let style = if order == 3 { WARN } else { BOLD };
        writeln!(terminal, "\n{} ({})", paint(style, title), tables.len())?;
        // What waits for a decision is listed whole.
        let most = if order == 3 { usize::MAX } else { LISTED };
        for table in tables.iter().take(most) {
            writeln!(terminal, "{}", wrapped(table, 2, width))?;
        }
        if tables.len() > most {
            writeln!(
                terminal,
                "  {}",
                paint(
                    DIM,
                    format!("and {} more: see partywall.toml", tables.len() - most)
                )
            )?;
        }
    }
    Ok(())
}

/// Shows rows that are in the way.
pub(crate) fn violations(terminal: &mut Terminal, violations: &[Violation]) -> Result<(), Failure> {
    if violations.is_empty() {
        return Ok(());
    }
    let width = terminal.width();
    writeln!(
        terminal,
        "\n{}",
        paint(HIGH, format!("Rows in the way ({})", violations.len()))
    )?;
    for violation in violations {
        let text = format!(
            "{}: {} rows: {}",
            violation.table, violation.rows, violation.what
        );
        writeln!(terminal, "{}", wrapped(&text, 2, width))?;
        for line in shown(violation.query.trim_end()).lines() {
            writeln!(terminal, "      {}", paint(CODE, line))?;
        }
    }
    Ok(())
}

/// Whether a table waits for a decision.
pub(super) fn has_undecided(map: &Map) -> bool {
    map.tables
        .values()
        .any(|table| matches!(table, TableMap::Undecided(_)))
}
