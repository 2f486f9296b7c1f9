//! One scalar, from PostgreSQL's binary format into the variant its field reads.

use sea_orm::Value;

use super::error::Fault;
use super::integer::{self, exact};
use super::variant::Variant;
use super::wire::Wire;
use super::{json, moment, network, numeric};

/// Reads a scalar. The pair was found to fit when the plan was made ([`Wire::carries`]), so what
/// can still fail is the value.
pub(super) fn scalar(wire: Wire, variant: Variant, raw: &[u8]) -> Result<Value, Fault> {
    match wire {
        Wire::Bool => Ok(Value::Bool(Some(exact(raw)? != [0]))),
        Wire::Char if variant.is_text() => match exact(raw)? {
            // The server writes its zero byte as the empty text, which is no character.
            [0] => Err(Fault::NotOneCharacter),
            letter if letter.is_ascii() => text(variant, &letter),
            _ => Err(Fault::NotOneCharacter),
        },
        Wire::Char | Wire::Int2 | Wire::Int4 | Wire::Int8 | Wire::Oid => {
            integer::decode(wire, variant, raw)
        }
        Wire::Float4 => {
            let number = f32::from_be_bytes(exact(raw)?);
            Ok(if variant == Variant::Double {
                Value::Double(Some(number.into()))
            } else {
                Value::Float(Some(number))
            })
        }
        Wire::Float8 => Ok(Value::Double(Some(f64::from_be_bytes(exact(raw)?)))),
        Wire::Numeric if variant == Variant::BigDecimal => Ok(Value::BigDecimal(Some(Box::new(
            numeric::big_decimal(raw)?,
        )))),
        Wire::Numeric => Ok(Value::Decimal(Some(numeric::decimal(raw)?))),
        Wire::Text => text(variant, raw),
        Wire::Void => Ok(Value::String(Some(String::new()))),
        Wire::Bytea => Ok(Value::Bytes(Some(raw.to_vec()))),
        Wire::Json | Wire::Jsonb => Ok(Value::Json(Some(Box::new(json::decode(wire, raw)?)))),
        Wire::Uuid => Ok(Value::Uuid(Some(uuid::Uuid::from_bytes(exact(raw)?)))),
        Wire::Date => moment::date(variant, raw),
        Wire::Time => moment::time_of_day(variant, raw),
        Wire::Timestamp | Wire::Timestamptz => moment::timestamp(variant, raw),
        Wire::Inet => Ok(Value::IpNetwork(Some(network::ip_network(raw)?))),
        Wire::MacAddr => Ok(Value::MacAddress(Some(network::mac_address(raw)?))),
    }
}

fn text(variant: Variant, raw: &[u8]) -> Result<Value, Fault> {
    let text = std::str::from_utf8(raw).map_err(|_| Fault::Malformed)?;
    if variant != Variant::Char {
        return Ok(Value::String(Some(text.to_owned())));
    }
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(Value::Char(Some(character))),
        _ => Err(Fault::NotOneCharacter),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIRES: [Wire; 21] = [
        Wire::Bool,
        Wire::Char,
        Wire::Int2,
        Wire::Int4,
        Wire::Int8,
        Wire::Oid,
        Wire::Float4,
        Wire::Float8,
        Wire::Numeric,
        Wire::Text,
        Wire::Bytea,
        Wire::Json,
        Wire::Jsonb,
        Wire::Uuid,
        Wire::Date,
        Wire::Time,
        Wire::Timestamp,
        Wire::Timestamptz,
        Wire::Inet,
        Wire::MacAddr,
        Wire::Void,
    ];

    #[test]
    fn every_format_carries_its_usual_variant() {
        for wire in WIRES {
            assert!(wire.carries(wire.usual()), "{wire:?}");
        }
    }

    #[test]
    fn single_characters() {
        assert_eq!(
            scalar(Wire::Text, Variant::Char, "é".as_bytes()),
            Ok(Value::Char(Some('é')))
        );
        for raw in ["", "ab"] {
            let read = scalar(Wire::Text, Variant::Char, raw.as_bytes());
            assert_eq!(read, Err(Fault::NotOneCharacter));
        }
        assert_eq!(scalar(Wire::Char, Variant::String, b"r"), Ok("r".into()));
        assert_eq!(scalar(Wire::Char, Variant::TinyInt, b"r"), Ok(114i8.into()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_of_the_right_variant(
            raw in proptest::collection::vec(any::<u8>(), 0..24)
        ) {
            for wire in WIRES {
                if let Ok(value) = scalar(wire, wire.usual(), &raw) {
                    prop_assert_eq!(Variant::of(&value), (wire.usual(), false));
                }
            }
        }
    }
}
