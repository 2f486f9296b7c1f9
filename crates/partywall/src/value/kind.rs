//! What a model's field reads.

use sea_orm::Value;
use sea_orm::sea_query::{ColumnType, ValueType};

use super::variant::Variant;

/// The exact variant that a model's field reads from a row.
///
/// SeaORM's proxy rows hold ready-made values and give "null" for a value of any other variant, so
/// each column must be decoded into the one variant that its field takes. A `Kind` names it, and
/// says whether the field is an array and whether that array has room for NULL elements.
///
/// Made by [`kind_of`], usually by a derive macro, once per field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    variant: Variant,
    array: bool,
    null_elements: bool,
}

/// The [`Kind`] of a field of type `T`; `Option<T>` gives the same as `T`.
///
/// Whether `T` is an array is asked of `T` in two ways: by its column type, and by offering it an
/// empty array. The second is needed because a newtype may override its column type, and because
/// `Vec<u8>` is bytes while every other `Vec` is an array.
#[must_use]
pub fn kind_of<T: ValueType>() -> Kind {
    let array_type = T::array_type();
    let variant = Variant::of_array_type(&array_type);
    let takes = |elements: Vec<Value>| {
        T::try_from(Value::Array(array_type.clone(), Some(Box::new(elements)))).is_ok()
    };
    Kind {
        variant,
        array: matches!(T::column_type(), ColumnType::Array(_)) || takes(Vec::new()),
        null_elements: variant.null().is_some_and(|null| takes(vec![null])),
    }
}

impl Kind {
    /// What an expression column of this variant becomes. Its reader is unknown, and a reader
    /// without room for NULL elements would see the whole array as null, so it has none either.
    pub(super) fn plain(variant: Variant, array: bool) -> Self {
        Self {
            variant,
            array,
            null_elements: false,
        }
    }

    pub(super) fn variant(self) -> Variant {
        self.variant
    }

    pub(super) fn is_array(self) -> bool {
        self.array
    }

    pub(super) fn holds_null_elements(self) -> bool {
        self.null_elements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_is_transparent_and_bytes_are_no_array() {
        assert_eq!(kind_of::<i64>(), Kind::plain(Variant::BigInt, false));
        assert_eq!(kind_of::<Option<i64>>(), kind_of::<i64>());
        assert_eq!(kind_of::<Vec<u8>>(), Kind::plain(Variant::Bytes, false));
        assert_eq!(kind_of::<Option<Vec<u8>>>(), kind_of::<Vec<u8>>());
        assert_eq!(kind_of::<Vec<Vec<u8>>>(), Kind::plain(Variant::Bytes, true));
        assert_eq!(
            kind_of::<Option<Vec<String>>>(),
            Kind::plain(Variant::String, true)
        );
    }

    #[test]
    fn array_of_options_has_room_for_nulls() {
        let kind = kind_of::<Vec<Option<i32>>>();
        assert!(kind.is_array() && kind.holds_null_elements());
        assert!(!kind_of::<Vec<i32>>().holds_null_elements());
    }
}
