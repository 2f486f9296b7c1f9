use super::{Oid, Volatility};

/// An operator, PostgreSQL's own or another's.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) name: String,
    /// The function that it calls.
    pub(crate) function: Oid,
    /// The name of that function: `texteq`, `textlike`, `citext_eq`.
    pub(crate) function_name: String,
    /// Whether it is the equality of a B-tree or hash operator family: what unique indexes and joins mean by equal.
    pub(crate) equality: bool,
    /// Whether it is the extension `citext`'s, which takes `a` and `A` for the same.
    pub(crate) folds_case: bool,
    pub(crate) volatility: Volatility,
}

/// A function of PostgreSQL itself.
#[derive(Clone, Debug)]
pub(crate) struct Builtin {
    pub(crate) name: String,
    pub(crate) volatility: Volatility,
    pub(crate) strict: bool,
}
