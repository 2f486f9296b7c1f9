use serde::Serialize;

/// Rows that are in the way of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// The table; or a role that no policy would hold for: `role app`.
    pub table: String,
    /// What is wrong with the rows.
    pub what: String,
    /// How many.
    pub rows: i64,
    /// A query that shows them.
    pub query: String,
}
