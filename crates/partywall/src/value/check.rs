//! What can be known about parameters before they are sent.

use sea_orm::Value;
use sea_orm::sea_query::OptionEnum;
use tokio_postgres::types::Type;

use super::error::{Fault, ValueError};
use super::variant::{Variant, is_null};
use super::{integer, json, moment, numeric};

/// The PostgreSQL type to declare for a parameter: what sea-query-sqlx 0.9 declares, so that SQL
/// which SeaORM builds is typed as it is on sqlx.
///
/// A native enum is `text`, because sea-query casts its placeholder; an unsigned integer is the
/// next larger signed one; `u64` is `bigint`, for there is no larger.
///
/// # Errors
/// For a variant that a feature of sea-query adds and that has no codec here.
pub(crate) fn declared_type(value: &Value) -> Result<Type, ValueError> {
    declared(value).map_err(|fault| ValueError::parameter(None, fault))
}

pub(super) fn declared(value: &Value) -> Result<Type, Fault> {
    let (variant, array) = Variant::of(value);
    variant.declared(array).ok_or(Fault::Foreign)
}

/// Whether every value can be sent as its declared type. A failure while sending would come after
/// the transaction has begun; this comes before, and names the parameter.
///
/// Costs a scan for NUL bytes in text, and next to nothing elsewhere.
///
/// # Errors
/// For the first value that PostgreSQL cannot hold, or that is not what its array says.
pub(crate) fn check(values: &[Value]) -> Result<(), ValueError> {
    values.iter().enumerate().try_for_each(|(index, value)| {
        one(value).map_err(|fault| ValueError::parameter(Some(index), fault))
    })
}

pub(super) fn one(value: &Value) -> Result<(), Fault> {
    if is_null(value) {
        return Ok(());
    }
    let Value::Array(array_type, Some(elements)) = value else {
        return scalar(value);
    };
    let expected = Variant::of_array_type(array_type);
    for element in elements.iter() {
        match Variant::of(element) {
            (_, true) => return Err(Fault::Dimensions),
            (variant, false) if variant != expected => return Err(Fault::Mixed),
            _ if is_null(element) => {}
            _ => scalar(element)?,
        }
    }
    Ok(())
}

fn scalar(value: &Value) -> Result<(), Fault> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "PostgreSQL holds every value of the variants that are left"
    )]
    match value {
        Value::BigUnsigned(_) => integer::number(value).map(|_| ()),
        Value::String(Some(text)) => json::text_has_no_nul(text),
        Value::Enum(OptionEnum::Some(label)) => json::text_has_no_nul(&label.value),
        Value::Char(Some('\0')) => Err(Fault::Nul),
        Value::Json(Some(document)) => json::check(document),
        Value::ChronoDate(_)
        | Value::ChronoTime(_)
        | Value::ChronoDateTime(_)
        | Value::ChronoDateTimeUtc(_)
        | Value::ChronoDateTimeLocal(_)
        | Value::ChronoDateTimeWithTimeZone(_)
        | Value::TimeDate(_)
        | Value::TimeTime(_)
        | Value::TimeDateTime(_)
        | Value::TimeDateTimeWithTimeZone(_) => moment::check(value),
        Value::BigDecimal(Some(decimal)) => numeric::check(decimal),
        _ => declared(value).map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::ArrayType;

    use super::*;

    fn refusal(value: Value) -> String {
        check(&[Value::Int(Some(1)), value])
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn refusals_name_the_parameter() {
        assert_eq!(
            refusal(Value::BigUnsigned(Some(u64::MAX))),
            "parameter `$2` is outside the range of a 64-bit integer"
        );
        assert!(refusal("a\0b".into()).contains("NUL"));
        assert!(refusal('\0'.into()).contains("NUL"));
        let mixed = vec![Value::Int(Some(1)), Value::BigInt(Some(1))];
        assert!(
            refusal(Value::Array(ArrayType::Int, Some(Box::new(mixed)))).contains("another type")
        );
        let nested = vec![Value::Array(ArrayType::Int, None)];
        assert!(
            refusal(Value::Array(ArrayType::Int, Some(Box::new(nested)))).contains("dimensions")
        );
    }

    #[test]
    fn nulls_and_enums_in_arrays_are_fine() {
        let label = sea_orm::sea_query::Enum {
            type_name: "tea".into(),
            value: "Black".into(),
        };
        let name = ArrayType::Enum(Box::new("tea".into()));
        let elements = vec![Value::from(label), Value::String(None)];
        assert!(check(&[Value::Array(name, Some(Box::new(elements)))]).is_ok());
        assert!(check(&[Value::Array(ArrayType::Json, None)]).is_ok());
    }

    #[test]
    fn types_are_those_of_sqlx() {
        let declared = |value: Value| declared_type(&value).unwrap();
        assert_eq!(declared(1u8.into()), Type::INT2);
        assert_eq!(declared(1u64.into()), Type::INT8);
        assert_eq!(declared(1i8.into()), Type::CHAR);
        assert_eq!(declared('c'.into()), Type::TEXT);
        assert_eq!(declared(Value::Json(None)), Type::JSONB);
        assert_eq!(declared(vec![1u32].into()), Type::INT8_ARRAY);
        assert_eq!(declared(vec![vec![1u8]].into()), Type::BYTEA_ARRAY);
    }
}
