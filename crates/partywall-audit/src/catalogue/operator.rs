/// An operator, PostgreSQL's own or another's.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) name: String,
    /// Whether it is the equality of a B-tree or hash operator family: what unique indexes and joins mean by equal.
    pub(crate) equality: bool,
    /// Whether it is the extension `citext`'s, which takes `a` and `A` for the same.
    pub(crate) folds_case: bool,
}

/// A function of PostgreSQL itself.
#[derive(Clone, Debug)]
pub(crate) struct Builtin {
    pub(crate) name: String,
}
