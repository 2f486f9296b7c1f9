use serde::{Serialize, Serializer};

use crate::Inferred;

macro_rules! attacks {
    ($($variant:ident $id:literal $title:literal,)*) => {
        /// A way to attack a table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Attack {
            $(#[doc = $title] $variant,)*
        }

        impl Attack {
            /// Every attack, in the order in which they run.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, which never changes: `no-context`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The one of this name.
            #[must_use]
            pub fn named(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|attack| attack.id() == id)
            }

            /// What it does, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

attacks! {
    Read "read" "reads the victim's rows",
    Count "count" "counts them, without WHERE",
    Join "join" "reaches them by a join",
    Update "update" "changes them, without WHERE and RETURNING",
    Delete "delete" "deletes them, without WHERE and RETURNING",
    Insert "insert" "inserts a row in the victim's name",
    Move "move" "moves an own row to the victim",
    Reference "reference" "refers to a row of the victim's",
    Collide "collide" "collides with a unique value of the victim's",
    Upsert "upsert" "takes over a row by INSERT … ON CONFLICT DO UPDATE on the victim's key",
    View "view" "reads through views",
    Function "function" "calls functions",
    Partition "partition" "reads partitions",
    Sequence "sequence" "sets or reads sequences",
    Truncate "truncate" "empties the table",
    SetRole "set-role" "becomes another role",
    NoContext "no-context" "reads on a fresh session, without a context",
    EmptyContext "empty-context" "reads with an empty context, as a session has after a transaction",
    MalformedContext "malformed-context" "reads with a malformed, forged or expired context",
    Pattern "pattern" "reads with a pattern or a prefix of the victim's context",
    OtherCase "other-case" "reads with the victim's context in the other case",
    StaleContext "stale-context" "reads with one of several settings left over from the victim",
    Flag "flag" "sets other settings that policies read",
    Prepared "prepared" "executes a statement that was planned for the victim",
    Shadow "shadow" "shadows a table that a policy reads by a temporary one",
    SelfGrant "self-grant" "writes itself into a table that a policy trusts",
    Cascade "cascade" "deletes a shared row that the victim's row refers to",
    SideEffect "side-effect" "writes an own row, so that a trigger or rule acts on the victim's",
    Peek "peek" "smuggles a function into a view's filter",
    LargeObject "large-object" "reads the victim's large objects",
    Trigger "trigger" "puts a trigger on the table",
    Alter "alter" "switches the table's row-level security off",
}

impl std::fmt::Display for Attack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Attack {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
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
    /// Why a breach may be, if somebody accepted it. Attacks leave it empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
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
    /// The attacks that reached something and were not accepted, with the table of each.
    pub fn breaches(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.tables.iter().flat_map(|table| {
            table
                .cells
                .iter()
                .filter(|cell| {
                    matches!(cell.outcome, Outcome::Breach { .. }) && cell.accepted.is_none()
                })
                .map(|cell| (table.table.as_str(), cell))
        })
    }
}
