use std::fmt;

use sea_orm::Value;
use uuid::Uuid;

use super::{ScopeError, SqlType};

/// One value of one dimension: whose rows these are.
///
/// There is no value that means "all" and none that means "unknown": a scope either names owners
/// or it names none, and then it matches no row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ScopeValue {
    /// A `uuid`.
    Uuid(Uuid),
    /// A `bigint`.
    BigInt(i64),
    /// A `text`. PostgreSQL cannot store the NUL character, so a text that holds one is refused
    /// before it is sent.
    Text(String),
}

impl ScopeValue {
    /// The SQL type of this value.
    #[must_use]
    pub fn sql_type(&self) -> SqlType {
        match self {
            Self::Uuid(_) => SqlType::Uuid,
            Self::BigInt(_) => SqlType::BigInt,
            Self::Text(_) => SqlType::Text,
        }
    }

    /// Reads a value of the given type from text, as a command line or a job queue holds it.
    ///
    /// # Errors
    ///
    /// [`ScopeErrorKind::Malformed`](super::ScopeErrorKind::Malformed) when the text is not a
    /// value of the type. An empty text is malformed for every type: it is what a missing variable
    /// looks like, and a missing value must never select rows.
    pub fn parse(sql_type: SqlType, text: &str) -> Result<Self, ScopeError> {
        let malformed = || ScopeError::malformed(sql_type, text);
        if text.is_empty() || text.contains('\0') {
            return Err(malformed());
        }
        match sql_type {
            SqlType::Uuid => Uuid::try_parse(text)
                .map(Self::Uuid)
                .map_err(|_| malformed()),
            SqlType::BigInt => text.parse().map(Self::BigInt).map_err(|_| malformed()),
            SqlType::Text => Ok(Self::Text(text.to_owned())),
        }
    }

    /// The value as a statement's parameter.
    #[must_use]
    pub fn to_parameter(&self) -> Value {
        match self {
            Self::Uuid(id) => (*id).into(),
            Self::BigInt(id) => (*id).into(),
            Self::Text(text) => text.clone().into(),
        }
    }
}

impl fmt::Display for ScopeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(id) => id.fmt(f),
            Self::BigInt(id) => id.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}
