use std::{fmt, str::FromStr, sync::Arc};

use sea_orm::EntityTrait;

use super::announcement::Told;

/// Something that has become of the rows of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A row was inserted, updated or deleted.
    Row(RowChange),
    /// More rows of a table were changed by one statement than are told one by one: read it again.
    Many {
        /// The name of the table.
        table: String,
    },
    /// Something may have been missed, since the subscriber was slow or the database was away: read
    /// everything again.
    Resync,
}

/// What was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// It is new.
    Insert,
    /// It is another than it was.
    Update,
    /// It is gone.
    Delete,
}

/// A row that was changed. It names the row and holds nothing of it: read it in the scope.
#[derive(Clone, PartialEq, Eq)]
pub struct RowChange {
    pub(super) table: Arc<Told>,
    pub(super) operation: Operation,
    pub(super) key: Arc<[String]>,
}

impl Operation {
    /// `insert`, `update` or `delete`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Insert, Self::Update, Self::Delete]
            .into_iter()
            .find(|operation| operation.as_str() == text)
    }
}

impl RowChange {
    /// What was done.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The name of the table, without its schema.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table.name.table
    }

    /// Whether it is a row of an entity's.
    #[must_use]
    pub fn is_of<E: EntityTrait>(&self) -> bool {
        self.table.is_of::<E>()
    }

    /// The primary key as PostgreSQL writes it, without the columns that hold owners.
    #[must_use]
    pub fn key(&self) -> &[String] {
        &self.key
    }

    /// The primary key of one column: `change.id::<Uuid>()`. `None` where it has several, or is not of
    /// the type.
    #[must_use]
    pub fn id<T: FromStr>(&self) -> Option<T> {
        match self.key() {
            [id] => id.parse().ok(),
            _ => None,
        }
    }
}

impl fmt::Debug for RowChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowChange")
            .field("table", &self.table())
            .field("operation", &self.operation)
            .field("key", &self.key)
            .finish()
    }
}
