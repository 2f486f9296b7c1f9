//! One value, into the format of the type that the server expects.

use bytes::{BufMut, BytesMut};
use sea_orm::Value;
use tokio_postgres::types::{IsNull, Type};

use super::error::Fault;
use super::variant::{Variant, is_null};
use super::wire::{Wire, element};
use super::{array, binary, text};

/// In which of PostgreSQL's two formats a value goes to a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Binary, because the variant and the type are of one family.
    Binary(Wire),
    /// As text, which the server parses as it would a literal.
    Text,
    /// Not at all, because the server would misread the text: it ignores the zone in a `timestamp`
    /// and the time in a `date`, and takes any text for a `bytea`.
    Refused,
}

impl Route {
    /// The route of a scalar. Every variant goes to its declared type in binary.
    pub(super) fn of(variant: Variant, ty: &Type) -> Self {
        let wire = Wire::of(ty);
        if let Some(wire) = wire {
            let family = match wire {
                Wire::Oid | Wire::Int2 | Wire::Int4 | Wire::Int8 => variant.is_integer(),
                Wire::Char => variant.is_integer() || variant.is_text(),
                Wire::Float8 => matches!(variant, Variant::Float | Variant::Double),
                // A wider number goes as text, and the server rounds it as its own cast would.
                Wire::Float4 => variant == Variant::Float,
                Wire::Text => variant.is_text(),
                Wire::Void => false,
                Wire::Bool
                | Wire::Numeric
                | Wire::Bytea
                | Wire::Json
                | Wire::Jsonb
                | Wire::Uuid
                | Wire::Date
                | Wire::Time
                | Wire::Timestamp
                | Wire::Timestamptz
                | Wire::Inet
                | Wire::MacAddr => wire.carries(variant),
            };
            if family {
                return Self::Binary(wire);
            }
        }
        if text::speaks(variant) {
            Self::Text
        } else {
            Self::Refused
        }
    }
}

/// Whether the value goes to this type as text.
pub(super) fn is_text(value: &Value, ty: &Type) -> bool {
    let (variant, array) = Variant::of(value);
    match (array, element(ty)) {
        (true, Some(element)) => Route::of(variant, element) == Route::Text,
        (true, None) => false,
        (false, _) => Route::of(variant, ty) == Route::Text,
    }
}

/// Writes a value, scalar or array, in the format that [`is_text`] announces.
pub(super) fn value(value: &Value, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
    if is_null(value) {
        return Ok(IsNull::Yes);
    }
    let (variant, _) = Variant::of(value);
    let refused = Fault::Unsendable(variant.describe());
    if let Value::Array(_, Some(elements)) = value {
        let element = element(ty).ok_or(refused)?;
        match Route::of(variant, element) {
            Route::Binary(wire) => array::encode(elements, element.oid(), wire, out)?,
            Route::Text => out.put_slice(text::array(elements)?.as_bytes()),
            Route::Refused => return Err(refused),
        }
        return Ok(IsNull::No);
    }
    match Route::of(variant, ty) {
        Route::Binary(wire) => binary::scalar(value, wire, out)?,
        Route::Text => {
            let mut literal = String::new();
            text::scalar(value, &mut literal)?;
            out.put_slice(literal.as_bytes());
        }
        Route::Refused => return Err(refused),
    }
    Ok(IsNull::No)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_bytes_never_go_as_text() {
        let moment = Variant::ChronoDateTimeUtc;
        assert_eq!(
            Route::of(moment, &Type::TIMESTAMPTZ),
            Route::Binary(Wire::Timestamptz)
        );
        assert_eq!(Route::of(moment, &Type::TIMESTAMP), Route::Refused);
        assert_eq!(Route::of(moment, &Type::TEXT), Route::Refused);
        assert_eq!(Route::of(Variant::Bytes, &Type::TEXT), Route::Refused);
    }

    #[test]
    fn text_goes_to_anything() {
        assert_eq!(
            Route::of(Variant::String, &Type::VARCHAR),
            Route::Binary(Wire::Text)
        );
        assert_eq!(Route::of(Variant::String, &Type::INET), Route::Text);
        assert_eq!(Route::of(Variant::String, &Type::TSTZ_RANGE), Route::Text);
        assert_eq!(Route::of(Variant::BigInt, &Type::NUMERIC), Route::Text);
    }

    #[test]
    fn letters_are_not_cut() {
        let mut out = BytesMut::new();
        assert!(value(&"r".into(), &Type::CHAR, &mut out).is_ok());
        assert!(value(&"rs".into(), &Type::CHAR, &mut out).is_err());
        assert_eq!(&out[..], b"r");
    }

    #[test]
    fn nulls_write_nothing() {
        let mut out = BytesMut::new();
        let written = value(&Value::ChronoDate(None), &Type::INT4, &mut out);
        assert!(matches!(written, Ok(IsNull::Yes)) && out.is_empty());
    }
}
