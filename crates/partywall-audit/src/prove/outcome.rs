use serde::Serialize;

use crate::Inferred;

/// A way to attack a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Attack {
    /// Reads the victim's rows.
    Read,
    /// Counts them.
    Count,
    /// Reaches them by a join.
    Join,
    /// Changes them, without WHERE and RETURNING.
    Update,
    /// Deletes them, without WHERE and RETURNING.
    Delete,
    /// Inserts a row in the victim's name.
    Insert,
    /// Moves an own row to the victim.
    Move,
    /// Refers to a row of the victim's.
    Reference,
    /// Collides with a unique value of the victim's.
    Collide,
    /// Takes over a row by INSERT … ON CONFLICT DO UPDATE on the victim's key.
    Upsert,
    /// Reads through views.
    View,
    /// Calls functions.
    Function,
    /// Reads partitions.
    Partition,
    /// Sets or reads sequences.
    Sequence,
    /// Empties the table.
    Truncate,
    /// Becomes another role.
    SetRole,
    /// Reads without a context.
    NoContext,
    /// Reads with an empty context.
    EmptyContext,
    /// Reads with a malformed context.
    MalformedContext,
}

/// What came of an attack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// It reached nothing, and the control did.
    Held,
    /// It reached the victim's rows.
    Breach {
        /// The statement that did it, as it was sent.
        statement: String,
        /// What it reached.
        what: String,
    },
    /// The table has nothing that could be attacked so.
    Absent,
    /// It, or its control, could not run, so nothing is known.
    NotRun {
        /// Why.
        why: String,
    },
}

/// One attack on one table, as one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cell {
    /// Which.
    pub attack: Attack,
    /// The application's role.
    pub role: String,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What the attacker did the same way to an own row, and what came of that.
    pub control: String,
}

/// All attacks on one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableProof {
    /// `public.invoices`, as SQL names it.
    pub table: String,
    /// In the order of [`Attack`].
    pub cells: Vec<Cell>,
}

/// What all attacks came to. As JSON it is the document of `partywall prove --json`.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Proof {
    /// Of the document's shape: 1.
    pub version: u32,
    /// The server, as it writes its version.
    pub server: String,
    /// The database.
    pub database: String,
    /// When, in UTC (RFC 3339).
    pub at: String,
    /// The attacker's context, as given or sampled.
    pub attacker: Vec<(String, String)>,
    /// The victim's.
    pub victim: Vec<(String, String)>,
    /// What was taken for granted, and why.
    pub inferred: Inferred,
    /// In order of their names.
    pub tables: Vec<TableProof>,
}

impl Proof {
    /// The attacks that reached something, with the table of each.
    pub fn breaches(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.tables.iter().flat_map(|table| {
            table
                .cells
                .iter()
                .filter(|cell| matches!(cell.outcome, Outcome::Breach { .. }))
                .map(|cell| (table.table.as_str(), cell))
        })
    }
}
