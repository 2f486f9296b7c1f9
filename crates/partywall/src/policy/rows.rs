use sea_orm::{Condition, sea_query::Expr};

/// Which rows somebody may see or change.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// All of the scope.
    All,
    /// None. A list is refused then, not empty: a denial is never an empty list.
    None,
    /// Those for which the condition is true. For a WHERE: a condition that is NULL for a row does not
    /// show it. Put nothing around it that would turn NULL into true.
    Where(Condition),
}

impl Rows {
    pub(super) fn any(all: impl IntoIterator<Item = Self>) -> Self {
        let mut found = Vec::new();
        for rows in all {
            match rows {
                Self::All => return Self::All,
                Self::None => {}
                Self::Where(condition) => found.push(condition),
            }
        }
        if found.is_empty() {
            return Self::None;
        }
        Self::Where(found.into_iter().fold(Condition::any(), joined))
    }

    pub(super) fn all(all: impl IntoIterator<Item = Self>) -> Self {
        let mut found = Vec::new();
        for rows in all {
            match rows {
                Self::All => {}
                Self::None => return Self::None,
                Self::Where(condition) => found.push(condition),
            }
        }
        if found.is_empty() {
            return Self::All;
        }
        Self::Where(found.into_iter().fold(Condition::all(), joined))
    }
}

/// As an expression, which is a constant for a condition of nothing. A condition that is empty can be
/// left out by whoever adds it to a statement, and what is left out of a WHERE shows all rows.
fn joined(sum: Condition, condition: Condition) -> Condition {
    sum.add(Expr::from(condition))
}

impl From<bool> for Rows {
    fn from(holds: bool) -> Self {
        if holds { Self::All } else { Self::None }
    }
}
