use sea_orm::RelationDef;

use crate::scope::{DimensionValue, SqlType};

/// Who owns the rows of a table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ownership {
    /// Nobody: every scope may read the table, and only the way across may write it.
    Global,
    /// The owners named by these dimensions, all of which apply.
    Owned(Vec<Owned>),
}

/// One dimension of a table: its name and where a row's value comes from.
#[derive(Clone, Debug)]
pub struct Owned {
    pub(crate) dimension: &'static str,
    pub(crate) source: Source,
}

/// Where a row's value of a dimension comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Source {
    /// A column of the table.
    Column {
        /// The column's name.
        column: &'static str,
        /// The SQL type of the dimension.
        sql_type: SqlType,
    },
    /// The row that a relation leads to.
    Path {
        /// The relation to the parent table.
        relation: Box<RelationDef>,
        /// What the path says of the parent: the name of its column, or its own path.
        rest: &'static str,
        /// How the database follows the path.
        by: PathBy,
    },
}

/// How the database follows a path to the owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathBy {
    /// A copy of the owner's column in the child table, kept true by a composite foreign key.
    ///
    /// The default: with a million rows of 10,000 tenants it costs 0.98–1.02 × (medians) a table
    /// with an own column, where [`Exists`](Self::Exists) costs 2.2 × for a point read, 1.15 × for
    /// an insert and 4,384 × for a count (`cargo run --release -p partywall-bench -- path`).
    #[default]
    Column,
    /// The policy looks the parent row up for each row: nothing is stored twice.
    Exists,
}

/// What the application login may do with a table, within its scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rights {
    /// SELECT, INSERT, UPDATE (but of the owner's column) and DELETE.
    #[default]
    ReadWrite,
    /// SELECT and INSERT: a log.
    AppendOnly,
    /// SELECT.
    ReadOnly,
}

impl Owned {
    /// A dimension read from a column whose field is of type `T`. Called by `derive(Scoped)`.
    #[must_use]
    pub fn column<T: DimensionValue>(dimension: &'static str, column: &'static str) -> Self {
        Self {
            dimension,
            source: Source::Column {
                column,
                sql_type: T::SQL_TYPE,
            },
        }
    }

    /// A dimension read from the row that `relation` leads to. Called by `derive(Scoped)`.
    #[must_use]
    pub fn path(
        dimension: &'static str,
        relation: RelationDef,
        rest: &'static str,
        by: PathBy,
    ) -> Self {
        Self {
            dimension,
            source: Source::Path {
                relation: Box::new(relation),
                rest,
                by,
            },
        }
    }

    /// The dimension's name.
    #[must_use]
    pub fn dimension(&self) -> &'static str {
        self.dimension
    }

    /// Where a row's value comes from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }
}
