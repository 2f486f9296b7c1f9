/// Why a resource cannot be served as it is declared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// A name is used for something else.
    #[error(
        "a filter cannot be called `{0}`: choose a name that no other parameter has, without `__`"
    )]
    Reserved(&'static str),
    /// The same name twice.
    #[error("`{0}` is declared twice")]
    Twice(String),
    /// A comparison that the column does not have.
    #[error("`{parameter}` cannot compare the column `{column}`: leave the comparison out")]
    Filter {
        /// The parameter.
        parameter: String,
        /// The column.
        column: &'static str,
    },
    /// Only text is searched.
    #[error("the column `{0}` holds no text to search in")]
    Search(&'static str),
    /// The column has no order.
    #[error("a list cannot be sorted by the column `{0}`")]
    Sort(&'static str),
    /// The default order names something else.
    #[error("the default order names `{0}`, which the list is not sorted by: add it with `sort`")]
    DefaultSort(String),
    /// The sizes of pages.
    #[error("a page has at least one row, and no more than a page at most")]
    Page,
    /// What is written must be known by its fields.
    #[error(
        "the fields of `{0}` are not known: it must be a struct with named fields, none of which is flattened"
    )]
    Input(&'static str),
    /// What is read must be known by its fields.
    #[error("the fields of `{0}` are not known: it must be a struct with named fields")]
    Output(&'static str),
    /// The address and the rows disagree on what they stand under.
    #[error(
        "the resource at `{0}` stands under another if and only if it has a `parent_column`: add it, or change the path"
    )]
    Parent(&'static str),
    /// The rows of a page must be told apart by one column.
    #[error(
        "the table `{0}` has a primary key of several columns: leave out what works on single rows"
    )]
    Key(&'static str),
}
