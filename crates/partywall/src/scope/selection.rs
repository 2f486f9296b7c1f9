use std::fmt;

use super::{ScopeValue, SqlType};

/// The values that a scope holds for one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Values {
    /// Exactly one owner.
    One(ScopeValue),
    /// Any of several owners, in ascending order and without repetition. None at all means no rows.
    List(Vec<ScopeValue>),
}

impl Values {
    /// Whether `value` is among these.
    #[must_use]
    pub fn contains(&self, value: &ScopeValue) -> bool {
        match self {
            Self::One(one) => one == value,
            Self::List(list) => list.binary_search(value).is_ok(),
        }
    }

    /// The first value that is in `self` and not in `outer`.
    pub(crate) fn outside<'a>(&'a self, outer: &Self) -> Option<&'a ScopeValue> {
        match self {
            Self::One(one) => (!outer.contains(one)).then_some(one),
            Self::List(list) => list.iter().find(|value| !outer.contains(value)),
        }
    }
}

/// A dimension with the values chosen for it: what [`Dimension::is`](super::Dimension::is) and
/// [`Dimension::any_of`](super::Dimension::any_of) make, and what a [`Scope`](super::Scope) is made of.
///
/// A selection by itself opens nothing; only a scope does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    dimension: &'static str,
    sql_type: SqlType,
    values: Values,
}

impl Selection {
    pub(crate) fn one(dimension: &'static str, value: ScopeValue) -> Self {
        Self {
            dimension,
            sql_type: value.sql_type(),
            values: Values::One(value),
        }
    }

    pub(super) fn list(
        dimension: &'static str,
        sql_type: SqlType,
        mut values: Vec<ScopeValue>,
    ) -> Self {
        values.sort();
        values.dedup();
        Self {
            dimension,
            sql_type,
            values: Values::List(values),
        }
    }

    /// The dimension's name.
    #[must_use]
    pub fn dimension(&self) -> &'static str {
        self.dimension
    }

    /// The SQL type of the dimension's column.
    #[must_use]
    pub fn sql_type(&self) -> SqlType {
        self.sql_type
    }

    /// The chosen values.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.dimension)?;
        match &self.values {
            Values::One(value) => value.fmt(f),
            Values::List(list) => {
                f.write_str("[")?;
                for (n, value) in list.iter().enumerate() {
                    if n > 0 {
                        f.write_str(",")?;
                    }
                    value.fmt(f)?;
                }
                f.write_str("]")
            }
        }
    }
}
