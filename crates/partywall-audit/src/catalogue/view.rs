use super::Oid;
use crate::expression::Node;

/// What is particular to a view or materialized view.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Whether it reads with the rights of the one who asks (PostgreSQL 15 and newer).
    pub(crate) security_invoker: bool,
    pub(crate) security_barrier: bool,
    /// As `pg_get_viewdef` writes it.
    pub(crate) definition: String,
    /// The query's tree.
    pub(crate) tree: Node,
    /// The relations that it reads, directly.
    pub(crate) reads: Vec<Oid>,
}
