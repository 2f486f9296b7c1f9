//! Values in PostgreSQL's text format, for types that have no variant of their own.

use std::fmt::Write;

use sea_orm::Value;
use sea_orm::sea_query::OptionEnum;

use super::error::Fault;
use super::variant::{Variant, is_null};

/// Whether the variant's text means the same to every type that accepts it. A moment's does not
/// (see [`Route::Refused`](super::encode::Route::Refused)), nor do bytes.
pub(super) fn speaks(variant: Variant) -> bool {
    variant.is_integer()
        || variant.is_text()
        || matches!(
            variant,
            Variant::Bool
                | Variant::Float
                | Variant::Double
                | Variant::Decimal
                | Variant::BigDecimal
                | Variant::Json
                | Variant::Uuid
                | Variant::IpNetwork
                | Variant::MacAddress
        )
}

/// Appends a scalar.
pub(super) fn scalar(value: &Value, out: &mut String) -> Result<(), Fault> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "what is left does not speak, or is of an unknown feature of sea-query"
    )]
    let written = match value {
        Value::Bool(Some(truth)) => write!(out, "{truth}"),
        Value::TinyInt(Some(number)) => write!(out, "{number}"),
        Value::SmallInt(Some(number)) => write!(out, "{number}"),
        Value::Int(Some(number)) => write!(out, "{number}"),
        Value::BigInt(Some(number)) => write!(out, "{number}"),
        Value::TinyUnsigned(Some(number)) => write!(out, "{number}"),
        Value::SmallUnsigned(Some(number)) => write!(out, "{number}"),
        Value::Unsigned(Some(number)) => write!(out, "{number}"),
        Value::BigUnsigned(Some(number)) => write!(out, "{number}"),
        // PostgreSQL reads Rust's `NaN`, `inf` and `-inf`.
        Value::Float(Some(number)) => write!(out, "{number}"),
        Value::Double(Some(number)) => write!(out, "{number}"),
        Value::String(Some(text)) => out.write_str(text),
        Value::Enum(OptionEnum::Some(label)) => out.write_str(&label.value),
        Value::Char(Some(character)) => out.write_char(*character),
        Value::Json(Some(json)) => write!(out, "{json}"),
        Value::Uuid(Some(uuid)) => write!(out, "{uuid}"),
        Value::Decimal(Some(decimal)) => write!(out, "{decimal}"),
        Value::BigDecimal(Some(decimal)) => out.write_str(&decimal.to_plain_string()),
        Value::IpNetwork(Some(network)) => write!(out, "{network}"),
        Value::MacAddress(Some(address)) => write!(out, "{address}"),
        _ => return Err(Fault::Mixed),
    };
    written.map_err(|_| Fault::Size)
}

/// An array literal, every element quoted so that none is taken for NULL or for punctuation.
pub(super) fn array(elements: &[Value]) -> Result<String, Fault> {
    let mut out = String::from("{");
    let mut plain = String::new();
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if is_null(element) {
            out.push_str("NULL");
            continue;
        }
        plain.clear();
        scalar(element, &mut plain)?;
        out.push('"');
        for character in plain.chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
        out.push('"');
    }
    out.push('}');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_quoted() {
        let elements = ["a", "", "NULL", "b\"c\\d", "e,f{g}"].map(Value::from);
        assert_eq!(
            array(&elements).unwrap(),
            r#"{"a","","NULL","b\"c\\d","e,f{g}"}"#
        );
        assert_eq!(array(&[Value::String(None)]).unwrap(), "{NULL}");
        assert_eq!(array(&[]).unwrap(), "{}");
    }

    #[test]
    fn a_moment_does_not_speak() {
        assert!(!speaks(Variant::ChronoDateTime));
        let moment = Value::ChronoDate(chrono::NaiveDate::from_ymd_opt(2000, 1, 1));
        assert_eq!(scalar(&moment, &mut String::new()), Err(Fault::Mixed));
    }
}
