use super::Oid;

/// One of the keys of an index.
#[derive(Clone, Debug)]
pub(crate) struct IndexColumn {
    /// `None` for an expression.
    pub(crate) column: Option<i16>,
    /// Whether every operator of its operator class is leakproof, and what its expression calls, so that it may
    /// run before a policy does.
    pub(crate) leakproof: bool,
}

/// An index.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) unique: bool,
    pub(crate) exclusion: bool,
    pub(crate) valid: bool,
    /// Whether it holds only the rows that meet a condition.
    pub(crate) partial: bool,
    /// Without those that are only included.
    pub(crate) columns: Vec<IndexColumn>,
    /// The constraint that it stands for.
    pub(crate) constraint: Option<Oid>,
    /// As `pg_get_indexdef` writes it.
    pub(crate) definition: String,
    /// Of which index of a parent table it is the partition's copy.
    pub(crate) parent: Option<Oid>,
}
