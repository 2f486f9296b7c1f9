use super::{ScopeValue, SqlType};

/// Why a scope could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// Something asked for a dimension that the scope does not hold.
    #[error("the scope has no dimension `{0}`: add it with `Scope::narrow`")]
    Missing(MissingDimension),
    /// No scope is set for the running task.
    #[error(
        "no scope is set for this task, so the dimension `{0}` is missing: run it inside `scope.enter(…)`, or take the scope along with `partywall::scope::carry` when spawning"
    )]
    Unset(MissingDimension),
    /// A nested scope asked for more than the scope around it.
    #[error("a nested scope may only narrow: {0}")]
    Widens(WidenedDimension),
    /// A text is not a value of its dimension.
    #[error("{0}")]
    Malformed(MalformedValue),
}

/// The kinds of [`ScopeError`], for matching without the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeErrorKind {
    /// The scope lacks a dimension.
    Missing,
    /// There is no ambient scope.
    Unset,
    /// A nested scope would be wider than the one around it.
    Widens,
    /// A text is not a value of its dimension.
    Malformed,
}

/// A dimension that was asked for and is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{dimension}")]
pub struct MissingDimension {
    dimension: String,
}

/// A dimension of a nested scope that reaches further than the scope around it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{dimension}` {}", match value {
    Some(value) => format!("`{value}` is outside the scope around it"),
    None => "is fixed in the scope around it and open in the nested one".to_owned(),
})]
pub struct WidenedDimension {
    dimension: &'static str,
    value: Option<ScopeValue>,
}

/// A text that is not a value of its dimension.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {sql_type} value")]
pub struct MalformedValue {
    sql_type: SqlType,
    text: String,
}

impl ScopeError {
    pub(crate) fn missing(dimension: impl Into<String>) -> Self {
        Self::Missing(MissingDimension {
            dimension: dimension.into(),
        })
    }

    pub(super) fn unset(dimension: &str) -> Self {
        Self::Unset(MissingDimension {
            dimension: dimension.to_owned(),
        })
    }

    pub(super) fn widens(dimension: &'static str, value: Option<ScopeValue>) -> Self {
        Self::Widens(WidenedDimension { dimension, value })
    }

    pub(super) fn malformed(sql_type: SqlType, text: &str) -> Self {
        Self::Malformed(MalformedValue {
            sql_type,
            text: text.chars().take(80).collect(),
        })
    }

    /// The kind, without the data.
    #[must_use]
    pub fn kind(&self) -> ScopeErrorKind {
        match self {
            Self::Missing(_) => ScopeErrorKind::Missing,
            Self::Unset(_) => ScopeErrorKind::Unset,
            Self::Widens(_) => ScopeErrorKind::Widens,
            Self::Malformed(_) => ScopeErrorKind::Malformed,
        }
    }

    /// The dimension that is missing or widened.
    #[must_use]
    pub fn dimension(&self) -> Option<&str> {
        match self {
            Self::Missing(missing) | Self::Unset(missing) => Some(&missing.dimension),
            Self::Widens(widened) => Some(widened.dimension),
            Self::Malformed(_) => None,
        }
    }
}
