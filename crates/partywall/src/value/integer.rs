//! Integers, between any two sizes, refusing what does not fit.

use bytes::{BufMut, BytesMut};
use sea_orm::Value;

use super::error::Fault;
use super::variant::Variant;
use super::wire::Wire;

/// Reads an integer of any size into an integer variant of any size.
pub(super) fn decode(wire: Wire, variant: Variant, raw: &[u8]) -> Result<Value, Fault> {
    let number = read(wire, raw)?;
    narrow(number, variant).ok_or(Fault::Range(variant.describe()))
}

fn read(wire: Wire, raw: &[u8]) -> Result<i64, Fault> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "no other format is an integer"
    )]
    let number = match wire {
        Wire::Char => i64::from(i8::from_be_bytes(exact(raw)?)),
        Wire::Int2 => i64::from(i16::from_be_bytes(exact(raw)?)),
        Wire::Int4 => i64::from(i32::from_be_bytes(exact(raw)?)),
        Wire::Int8 => i64::from_be_bytes(exact(raw)?),
        Wire::Oid => i64::from(u32::from_be_bytes(exact(raw)?)),
        _ => return Err(Fault::Malformed),
    };
    Ok(number)
}

/// The bytes as an array of exactly this length.
pub(super) fn exact<const LENGTH: usize>(raw: &[u8]) -> Result<[u8; LENGTH], Fault> {
    raw.try_into().map_err(|_| Fault::Malformed)
}

fn narrow(number: i64, variant: Variant) -> Option<Value> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "no other variant is an integer"
    )]
    Some(match variant {
        Variant::TinyInt => Value::TinyInt(Some(number.try_into().ok()?)),
        Variant::SmallInt => Value::SmallInt(Some(number.try_into().ok()?)),
        Variant::Int => Value::Int(Some(number.try_into().ok()?)),
        Variant::BigInt => Value::BigInt(Some(number)),
        Variant::TinyUnsigned => Value::TinyUnsigned(Some(number.try_into().ok()?)),
        Variant::SmallUnsigned => Value::SmallUnsigned(Some(number.try_into().ok()?)),
        Variant::Unsigned => Value::Unsigned(Some(number.try_into().ok()?)),
        Variant::BigUnsigned => Value::BigUnsigned(Some(number.try_into().ok()?)),
        _ => return None,
    })
}

/// The number in an integer value. PostgreSQL's largest integer is signed, so an unsigned one
/// beyond it is refused instead of wrapped.
pub(super) fn number(value: &Value) -> Result<i64, Fault> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "no other variant is an integer"
    )]
    match *value {
        Value::TinyInt(Some(number)) => Ok(number.into()),
        Value::SmallInt(Some(number)) => Ok(number.into()),
        Value::Int(Some(number)) => Ok(number.into()),
        Value::BigInt(Some(number)) => Ok(number),
        Value::TinyUnsigned(Some(number)) => Ok(number.into()),
        Value::SmallUnsigned(Some(number)) => Ok(number.into()),
        Value::Unsigned(Some(number)) => Ok(number.into()),
        Value::BigUnsigned(Some(number)) => {
            i64::try_from(number).map_err(|_| Fault::Range(Variant::BigInt.describe()))
        }
        _ => Err(Fault::Mixed),
    }
}

/// Writes an integer value of any size as the format's size.
pub(super) fn encode(value: &Value, wire: Wire, out: &mut BytesMut) -> Result<(), Fault> {
    let number = number(value)?;
    let range = || Fault::Range(wire.usual().describe());
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "no other format is an integer"
    )]
    match wire {
        Wire::Char => out.put_i8(number.try_into().map_err(|_| range())?),
        Wire::Int2 => out.put_i16(number.try_into().map_err(|_| range())?),
        Wire::Int4 => out.put_i32(number.try_into().map_err(|_| range())?),
        Wire::Int8 => out.put_i64(number),
        Wire::Oid => out.put_u32(number.try_into().map_err(|_| range())?),
        _ => return Err(Fault::Unsendable("an integer")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowing_is_checked() {
        let wide = 300i64.to_be_bytes();
        assert_eq!(
            decode(Wire::Int8, Variant::TinyUnsigned, &wide),
            Err(Fault::Range("an unsigned 8-bit integer"))
        );
        assert_eq!(
            decode(Wire::Int8, Variant::SmallInt, &wide).unwrap(),
            Value::SmallInt(Some(300))
        );
        assert!(decode(Wire::Int4, Variant::Unsigned, &(-1i32).to_be_bytes()).is_err());
        assert_eq!(
            decode(Wire::Int4, Variant::Int, &[1, 2]),
            Err(Fault::Malformed)
        );
    }

    #[test]
    fn unsigned_never_wraps() {
        assert!(number(&Value::BigUnsigned(Some(u64::MAX))).is_err());
        assert_eq!(
            number(&Value::BigUnsigned(Some(i64::MAX as u64))),
            Ok(i64::MAX)
        );
    }
}
