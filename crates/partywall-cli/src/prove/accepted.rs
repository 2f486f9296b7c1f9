//! Breaches that were accepted, each with a reason.

use partywall_audit::{Attack, Outcome, Proof, TableProof};
use serde::Serialize;

use crate::baseline::{Baseline, Entry};

/// Which breaches are accepted.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    entries: Vec<Entry>,
}

impl Accepted {
    pub(super) fn of(baseline: Option<Baseline>) -> Self {
        let mut entries = baseline.map_or_else(Vec::new, |baseline| baseline.accepted);
        // Those of `check` are its own.
        entries.retain(Entry::is_attack);
        Self { entries }
    }

    /// Marks the breaches of a table that are accepted.
    pub(super) fn mark(&self, table: &mut TableProof) {
        for cell in &mut table.cells {
            if matches!(cell.outcome, Outcome::Breach { .. }) {
                let known = self
                    .entries
                    .iter()
                    .find(|entry| entry.is_for(cell.attack.id(), &table.table));
                cell.accepted = known.map(|entry| entry.reason.clone());
            }
        }
    }

    /// What was accepted and held this time. What did not run, or is of a table that was not looked at, may still be there.
    pub(super) fn stale(&self, proof: &Proof, is_partial: bool) -> Vec<Entry> {
        let may_be = |entry: &&Entry| {
            let table = proof.tables.iter().find(|it| it.table == entry.object);
            table.is_some_and(|table| {
                let attack = Attack::named(&entry.id);
                table.cells.iter().any(|cell| {
                    Some(cell.attack) == attack
                        && !matches!(cell.outcome, Outcome::Held | Outcome::Absent)
                })
            })
        };
        let stale = self.entries.iter().filter(|entry| !may_be(entry));
        if is_partial {
            Vec::new()
        } else {
            stale.cloned().collect()
        }
    }
}

/// What the breaches of a proof would be as entries: one for each table and attack.
pub(super) fn entries(proof: &Proof) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    for (table, cell) in proof.breaches() {
        let entry = Entry::found(cell.attack.id(), table);
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    found
}

/// The document of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    #[serde(flatten)]
    pub(super) proof: &'a Proof,
    /// What was accepted and held this time.
    pub(super) stale: &'a [Entry],
}
