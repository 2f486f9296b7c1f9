use serde::Serialize;

use super::shape::Part;
use crate::sql::Name;

/// How far a plan has come. Each can be rolled out by itself, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Phase {
    /// Adds roles, columns, keys and indexes; the application as it is goes on unchanged.
    Expand,
    /// Puts the policies on. The application must set the context from now on.
    Protect,
    /// Takes away what the wall has replaced: keys over all tenants, rights that nobody should have.
    Contract,
}

impl Phase {
    /// What has to be so before it.
    #[must_use]
    pub const fn before(self) -> &'static str {
        match self {
            Self::Expand => "nothing has to be so before: the application as it is goes on",
            Self::Protect => {
                "before: the application connects as its own role and sets the context in every transaction"
            }
            Self::Contract => {
                "before: no code names the old keys any more (ON CONFLICT, foreign keys by one column)"
            }
        }
    }
}

/// What one step is for and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// A short name that stays the same: `index public.invoices(tenant_id)`.
    pub name: String,
    /// What it is for, in one sentence.
    pub why: String,
    /// Which part of the plan it belongs to.
    pub phase: Phase,
    /// The locks that it takes and for how long, in one sentence.
    pub locks: String,
    /// The statements, formatted.
    pub sql: String,
    /// What undoes it, which can also run when the step has not; empty where there is nothing to undo.
    pub undo: String,
    /// Whether it can run in a transaction (`CREATE INDEX CONCURRENTLY` cannot).
    pub transactional: bool,
    /// Whether it is one batch of many, to be repeated until no row is left.
    pub repeat: bool,
    /// Whether it may take as long as the table is large; if not, a minute is its limit.
    pub long: bool,
    /// A condition in SQL on the catalogues alone: whether its effect is there.
    #[serde(skip)]
    pub(super) done: String,
    /// The index that it builds, of which an interrupted run leaves an invalid one.
    #[serde(skip)]
    pub(super) index: Option<Name>,
    /// Of one that is repeated: whether rows are left, which others may have locked.
    #[serde(skip)]
    pub(super) left: String,
    /// What it adds or takes away.
    #[serde(skip)]
    pub(super) touches: Vec<(Name, Part)>,
}

impl Step {
    pub(super) fn new(phase: Phase, name: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            why: why.into(),
            phase,
            locks: String::new(),
            sql: String::new(),
            undo: String::new(),
            transactional: true,
            repeat: false,
            long: false,
            done: String::new(),
            index: None,
            left: String::new(),
            touches: Vec::new(),
        }
    }

    pub(super) fn sql(mut self, sql: impl Into<String>) -> Self {
        self.sql = sql.into();
        self
    }

    pub(super) fn undo(mut self, undo: impl Into<String>) -> Self {
        self.undo = undo.into();
        self
    }

    pub(super) fn locks(mut self, locks: impl Into<String>) -> Self {
        self.locks = locks.into();
        self
    }

    pub(super) fn done(mut self, done: impl Into<String>) -> Self {
        self.done = done.into();
        self
    }

    pub(super) fn key(mut self, table: &Name, name: &str) -> Self {
        self.touches
            .push((table.clone(), Part::Key(name.to_owned())));
        self
    }

    pub(super) fn long(mut self) -> Self {
        self.long = true;
        self
    }

    /// One batch of many, as long as a query says that rows are left.
    pub(super) fn repeated(mut self, left: String) -> Self {
        self.repeat = true;
        self.left = left;
        self
    }

    /// Builds an index beside the traffic, outside of a transaction.
    pub(super) fn concurrently(mut self, index: Name) -> Self {
        self.transactional = false;
        self.long = true;
        self.index = Some(index);
        self.locks("SHARE UPDATE EXCLUSIVE: reads and writes go on; it waits for transactions that are open")
    }
}
