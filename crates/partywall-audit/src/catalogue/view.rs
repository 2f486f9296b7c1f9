use super::{Command, Oid};
use crate::expression::Node;

/// Whether rows that are written through a view must be rows that it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckOption {
    No,
    /// By its own condition.
    Local,
    /// By its own and those of all views below.
    Cascaded,
}

/// What is particular to a view or materialized view.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Whether it reads with the rights of the one who asks (PostgreSQL 15 and newer).
    pub(crate) security_invoker: bool,
    pub(crate) security_barrier: bool,
    pub(crate) check_option: CheckOption,
    /// INSERT and UPDATE, where PostgreSQL makes one of the view one of its table.
    pub(crate) writes: Vec<Command>,
    /// As `pg_get_viewdef` writes it.
    pub(crate) definition: String,
    /// The query's tree.
    pub(crate) tree: Node,
    /// The relations that it reads, directly.
    pub(crate) reads: Vec<Oid>,
}
