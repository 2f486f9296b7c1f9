use garde::rules::inner::Inner;
use sea_orm::{ActiveValue, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field of a change: absent, or given. What is absent stays as it is.
///
/// A field that may be emptied is a `Patch<Option<T>>`: `null` empties it. For a `Patch<T>`, `null` is
/// refused as any other value of the wrong type is. Each such field needs `#[serde(default)]`,
/// and says to OpenAPI what it holds.
///
/// ```
/// use partywall::web::resource::Patch;
///
/// #[derive(serde::Deserialize, garde::Validate, utoipa::ToSchema)]
/// struct ChangeNote {
///     #[serde(default)]
///     #[garde(inner(length(min = 1, max = 200)))]
///     #[schema(value_type = Option<String>)]
///     title: Patch<String>,
///     #[serde(default)]
///     #[garde(inner(inner(length(max = 100))))]
///     #[schema(value_type = Option<String>)]
///     author: Patch<Option<String>>,
/// }
///
/// let change: ChangeNote = serde_json::from_str(r#"{"author": null}"#)?;
/// assert_eq!((change.title, change.author), (Patch::Absent, Patch::Given(None)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The body does not have it.
    #[default]
    Absent,
    /// The body has it.
    Given(T),
}

impl<T> Patch<T> {
    /// The value, where there is one.
    #[must_use]
    pub fn given(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent => None,
        }
    }

    /// Whether the body does not have it.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, where there is one.
    #[must_use]
    pub fn as_ref(&self) -> Patch<&T> {
        match self {
            Self::Given(value) => Patch::Given(value),
            Self::Absent => Patch::Absent,
        }
    }

    /// Changes the value, where there is one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Given(value) => Patch::Given(change(value)),
            Self::Absent => Patch::Absent,
        }
    }

    /// Sets a column, where there is a value: `change.title.apply(&mut row.title)`.
    pub fn apply(self, column: &mut ActiveValue<T>)
    where
        T: Into<Value>,
    {
        if let Self::Given(value) = self {
            *column = ActiveValue::Set(value);
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Given)
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    /// For clients and tests: leave what is absent out, with
    /// `#[serde(skip_serializing_if = "Patch::is_absent")]`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Given(value) => value.serialize(serializer),
            Self::Absent => serializer.serialize_none(),
        }
    }
}

impl<T> Inner<T> for Patch<T> {
    type Key = garde::error::NoKey;

    fn validate_inner<F>(&self, mut validate: F)
    where
        F: FnMut(&T, &Self::Key),
    {
        if let Self::Given(value) = self {
            validate(value, &Self::Key::default());
        }
    }
}

impl<T: garde::Validate> garde::Validate for Patch<T> {
    type Context = T::Context;

    fn validate_into(
        &self,
        context: &Self::Context,
        parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        if let Self::Given(value) = self {
            value.validate_into(context, parent, report);
        }
    }
}
