use std::{fmt, marker::PhantomData};

use uuid::Uuid;

use super::{ScopeValue, Selection};

/// The SQL type of a dimension's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SqlType {
    /// `uuid`
    Uuid,
    /// `bigint`
    BigInt,
    /// `text`
    Text,
}

impl SqlType {
    /// The name that PostgreSQL gives the type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::BigInt => "bigint",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A Rust type that a dimension's values can have: [`Uuid`], [`i64`] or [`String`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a dimension",
    note = "a dimension is a `Uuid`, an `i64` or a `String` column, and never an `Option`: a row always has an owner"
)]
pub trait DimensionValue: sealed::Sealed + Clone {
    /// The SQL type of the dimension's column.
    const SQL_TYPE: SqlType;

    /// The value as a scope holds it.
    fn into_scope_value(self) -> ScopeValue;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for uuid::Uuid {}
    impl Sealed for i64 {}
    impl Sealed for String {}
}

impl DimensionValue for Uuid {
    const SQL_TYPE: SqlType = SqlType::Uuid;

    fn into_scope_value(self) -> ScopeValue {
        ScopeValue::Uuid(self)
    }
}

impl DimensionValue for i64 {
    const SQL_TYPE: SqlType = SqlType::BigInt;

    fn into_scope_value(self) -> ScopeValue {
        ScopeValue::BigInt(self)
    }
}

impl DimensionValue for String {
    const SQL_TYPE: SqlType = SqlType::Text;

    fn into_scope_value(self) -> ScopeValue {
        ScopeValue::Text(self)
    }
}

/// A named axis of ownership: `tenant`, and whatever else an application divides its rows by.
///
/// The type parameter is the Rust type of its values, so that a scope cannot be made of the wrong
/// kind of id:
///
/// ```
/// use partywall::{Dimension, Scope, TENANT};
/// use uuid::Uuid;
///
/// const AUTHOR: Dimension<i64> = Dimension::new("author");
///
/// let acme = Uuid::now_v7();
/// let scope = Scope::trusted([TENANT.is(acme), AUTHOR.is(7)]);
/// assert_eq!(scope.to_string(), format!("author=7, tenant={acme}"));
/// ```
///
/// ```compile_fail
/// # use partywall::{Scope, TENANT};
/// let scope = Scope::trusted([TENANT.is(7_i64)]); // a tenant is a `Uuid`
/// ```
pub struct Dimension<T = Uuid> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

/// The built-in dimension, for applications whose tenants have UUIDs (and they should).
///
/// An application with numbered tenants declares
/// `const TENANT: Dimension<i64> = Dimension::new("tenant");` instead.
pub const TENANT: Dimension<Uuid> = Dimension::new("tenant");

impl<T: DimensionValue> Dimension<T> {
    /// Names a dimension.
    ///
    /// The name becomes part of SQL identifiers (`partywall.author()`), so it is lower-case ASCII:
    /// a letter, then letters, digits and `_`, at most 40 characters.
    ///
    /// # Panics
    ///
    /// At compile time, where the dimension is a constant as it should be, when the name is not
    /// of that form.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        assert!(
            is_name(name),
            "a dimension's name is a lower-case ASCII identifier"
        );
        Self {
            name,
            value: PhantomData,
        }
    }

    /// The rows of one owner.
    #[must_use]
    pub fn is(&self, value: impl Into<T>) -> Selection {
        Selection::one(self.name, value.into().into_scope_value())
    }

    /// The rows of any of these owners. An empty list selects no row.
    #[must_use]
    pub fn any_of(&self, values: impl IntoIterator<Item = T>) -> Selection {
        Selection::list(
            self.name,
            T::SQL_TYPE,
            values.into_iter().map(T::into_scope_value).collect(),
        )
    }
}

impl<T> Dimension<T> {
    /// The dimension's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> fmt::Debug for Dimension<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dimension").field(&self.name).finish()
    }
}

impl<T> Clone for Dimension<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Dimension<T> {}

/// Whether `name` can be a dimension's name.
pub(crate) const fn is_name(name: &str) -> bool {
    let mut rest = name.as_bytes();
    if rest.len() > 40 {
        return false;
    }
    match rest.first() {
        Some(b'a'..=b'z') => {}
        _ => return false,
    }
    while let Some((first, tail)) = rest.split_first() {
        if !matches!(first, b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        rest = tail;
    }
    true
}
