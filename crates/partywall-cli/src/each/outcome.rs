use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    failure::Failure,
    terminal::{BOLD, DIM, GOOD, HIGH, Terminal, one_line, paint, shown, wrapped},
};

/// What came of it for one tenant.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) tenant: String,
    pub(super) ok: bool,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// What SQL answered: every value as text, as psql would show it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rows: Vec<Map<String, Value>>,
    /// How many rows the last statement counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    /// What a command wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
}

impl Outcome {
    pub(super) fn failed(tenant: &str, error: impl Into<String>) -> Self {
        Self {
            ok: false,
            error: Some(error.into()),
            ..Self::done(tenant)
        }
    }

    pub(super) fn done(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            ok: true,
            error: None,
            rows: Vec::new(),
            count: None,
            output: None,
        }
    }
}

/// Shows one as it is through.
pub(super) fn write(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    let tenant = one_line(&outcome.tenant);
    if let Some(error) = &outcome.error {
        writeln!(
            out,
            "{} {}  {}",
            paint(HIGH, "✗"),
            paint(BOLD, &tenant),
            one_line(error)
        )?;
    } else {
        let row = match outcome.rows.as_slice() {
            [one] => line(one),
            [] => match outcome.count {
                Some(count) => paint(DIM, format!("{count} rows")).to_string(),
                None => String::new(),
            },
            many => paint(DIM, format!("{} rows", many.len())).to_string(),
        };
        writeln!(out, "{} {}  {row}", paint(GOOD, "✓"), paint(BOLD, &tenant))?;
        if outcome.rows.len() > 1 {
            for row in &outcome.rows {
                writeln!(out, "    {}", line(row))?;
            }
        }
    }
    for line in outcome.output.iter().flat_map(|output| output.lines()) {
        writeln!(out, "  {} {}", paint(DIM, "|"), shown(line))?;
    }
    out.flush()
}

fn line(row: &Map<String, Value>) -> String {
    row.iter()
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| "NULL".to_owned(), one_line);
            format!("{}={value}", paint(DIM, one_line(name)))
        })
        .collect::<Vec<_>>()
        .join("  ")
}

/// What came of it for all. As JSON it is the document of `each --json`.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    version: u32,
    dry_run: bool,
    succeeded: usize,
    pub(super) failed: usize,
    /// How many were not begun, since somebody said stop.
    skipped: usize,
    tenants: Vec<Outcome>,
}

impl Summary {
    pub(super) fn new(outcomes: Vec<Outcome>, of: usize, dry_run: bool) -> Self {
        let succeeded = outcomes.iter().filter(|outcome| outcome.ok).count();
        Self {
            version: 1,
            dry_run,
            succeeded,
            failed: outcomes.len() - succeeded,
            skipped: of.saturating_sub(outcomes.len()),
            tenants: outcomes,
        }
    }

    pub(super) fn write(&self, terminal: &mut Terminal) -> Result<(), Failure> {
        let width = terminal.width();
        if self.failed > 0 {
            writeln!(
                terminal,
                "\n{}",
                paint(HIGH, format!("FAILED ({})", self.failed))
            )?;
            for outcome in self.tenants.iter().filter(|outcome| !outcome.ok) {
                let error = outcome.error.as_deref().unwrap_or_default();
                writeln!(
                    terminal,
                    "{}",
                    wrapped(&format!("{}: {error}", outcome.tenant), 2, width)
                )?;
            }
        }
        let of = self.succeeded + self.failed + self.skipped;
        let skipped = if self.skipped > 0 {
            format!(", {} not begun", self.skipped)
        } else {
            String::new()
        };
        let rolled_back = if self.dry_run {
            "; dry run: nothing was kept"
        } else {
            ""
        };
        let sign = if self.failed > 0 || self.skipped > 0 {
            paint(HIGH, "✗")
        } else {
            paint(GOOD, "✓")
        };
        writeln!(
            terminal,
            "\n{sign} {} of {of} tenants{skipped}{rolled_back}",
            self.succeeded
        )?;
        Ok(())
    }
}
