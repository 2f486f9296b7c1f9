use std::collections::BTreeMap;

use serde::Serialize;

/// Something that was taken for granted, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Taken {
    /// A role, a column, a setting, a table.
    pub value: String,
    /// `given`, or what spoke for it.
    pub because: String,
}

impl Taken {
    pub(super) fn new(value: impl Into<String>, because: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            because: because.into(),
        }
    }
}

/// What was given and what was inferred, so that whoever reads the findings can say where it is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inferred {
    /// The table of the tenants.
    pub root: Option<Taken>,
    /// Names of columns that say whose a row is.
    pub tenant_columns: Vec<Taken>,
    /// Roles that requests of tenants run as.
    pub app_roles: Vec<Taken>,
    /// Settings that policies take the tenant from.
    pub contexts: Vec<Taken>,
    /// Tables that belong to no tenant.
    pub globals: Vec<Taken>,
    /// Tables of which it cannot be told whose their rows are, and why.
    pub undecided: BTreeMap<String, String>,
}
