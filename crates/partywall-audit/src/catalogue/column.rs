use super::Oid;

/// Whether the server numbers a column by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    No,
    Always,
    ByDefault,
}

/// A column of a relation.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) number: i16,
    pub(crate) name: String,
    pub(crate) type_oid: Oid,
    /// The type under it, where it is a domain; otherwise the same.
    pub(crate) base_oid: Oid,
    /// As `format_type` writes it, with its schema where that is not `pg_catalog`: `uuid`, `character varying(20)`.
    pub(crate) type_name: String,
    /// One letter of `pg_type.typtype`: `b`ase, `e`num, `d`omain, `c`omposite, `r`ange …
    pub(crate) type_kind: char,
    /// One letter of `pg_type.typcategory`: `S`tring, `A`rray, `N`umber …
    pub(crate) type_category: char,
    pub(crate) not_null: bool,
    /// The expression, as `pg_get_expr` writes it. For a generated column, what it is made of.
    pub(crate) default: Option<String>,
    pub(crate) generated: bool,
    pub(crate) identity: Identity,
    /// Whether equal texts are the same bytes: false for a collation that is not deterministic.
    pub(crate) deterministic: bool,
    /// Whether ANALYZE keeps samples of its values for the planner.
    pub(crate) statistics: bool,
}
