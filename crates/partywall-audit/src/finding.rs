use serde::Serialize;

use crate::{Fault, Severity};

/// Something by which one tenant can reach another's rows, or that makes the wall slow or fragile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Which fault of the catalogue.
    pub id: Fault,
    /// What has it: `public.invoices`, `role app`, `policy p on public.invoices`, as SQL would name it.
    pub object: String,
    /// One sentence, with what an attacker would run.
    pub why: String,
    /// SQL that mends it, as it stands.
    pub fix: String,
    /// The tenants' tables that it opens, in order.
    pub tables: Vec<String>,
}

impl Finding {
    pub(crate) fn new(
        id: Fault,
        object: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            severity: id.severity(),
            id,
            object: object.into(),
            why: why.into(),
            fix: fix.into(),
            tables: Vec::new(),
        }
    }

    pub(crate) fn tables(mut self, tables: impl IntoIterator<Item = String>) -> Self {
        self.tables = tables.into_iter().collect();
        self.tables.sort();
        self.tables.dedup();
        self
    }
}
