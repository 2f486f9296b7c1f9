//! Arrays of one dimension.
//!
//! An array travels as the number of its dimensions, whether it holds NULLs, the oid of its
//! elements' type, per dimension a length and a lower bound, and then per element a length (-1 for
//! NULL) and its bytes. Source: `array_send` in `src/backend/utils/adt/arrayfuncs.c`.

use bytes::{BufMut, BytesMut};
use sea_orm::Value;

use super::error::Fault;
use super::variant::{Variant, is_null};
use super::wire::Wire;
use super::{binary, decode};

/// Reads an array of any lower bound.
pub(super) fn decode(
    wire: Wire,
    variant: Variant,
    null_elements: bool,
    raw: &[u8],
) -> Result<Value, Fault> {
    let array_type = variant.array_type().ok_or(Fault::Foreign)?;
    let null = variant.null().ok_or(Fault::Foreign)?;
    let (dimensions, rest) = word(raw)?;
    let (_has_nulls, rest) = word(rest)?;
    let (_element_oid, rest) = word(rest)?;
    match dimensions {
        0 => return Ok(Value::Array(array_type, Some(Box::default()))),
        1 => {}
        _ => return Err(Fault::Dimensions),
    }
    let (count, rest) = word(rest)?;
    let (_lower_bound, mut rest) = word(rest)?;
    let count = usize::try_from(count).map_err(|_| Fault::Malformed)?;
    // A count cannot be trusted with an allocation, but every element takes four bytes at least.
    let mut elements = Vec::with_capacity(count.min(rest.len() / 4));
    for _ in 0..count {
        let (length, after) = word(rest)?;
        rest = after;
        if length == -1 {
            if !null_elements {
                return Err(Fault::NullElement);
            }
            elements.push(null.clone());
            continue;
        }
        let length = usize::try_from(length).map_err(|_| Fault::Malformed)?;
        let (element, after) = rest.split_at_checked(length).ok_or(Fault::Malformed)?;
        rest = after;
        elements.push(decode::scalar(wire, variant, element)?);
    }
    Ok(Value::Array(array_type, Some(Box::new(elements))))
}

fn word(raw: &[u8]) -> Result<(i32, &[u8]), Fault> {
    let (word, rest) = raw.split_first_chunk().ok_or(Fault::Malformed)?;
    Ok((i32::from_be_bytes(*word), rest))
}

/// Writes an array whose elements are of the type with this oid. Elements may be null.
pub(super) fn encode(
    elements: &[Value],
    element_oid: u32,
    wire: Wire,
    out: &mut BytesMut,
) -> Result<(), Fault> {
    let count = i32::try_from(elements.len()).map_err(|_| Fault::Size)?;
    out.put_i32(i32::from(count > 0));
    out.put_i32(elements.iter().any(is_null).into());
    out.put_u32(element_oid);
    if count > 0 {
        out.put_i32(count);
        out.put_i32(1);
    }
    for element in elements {
        let start = out.len();
        out.put_i32(-1);
        if is_null(element) {
            continue;
        }
        binary::scalar(element, wire, out)?;
        let length = i32::try_from(out.len() - start - 4).map_err(|_| Fault::Size)?;
        let prefix = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut);
        *prefix.ok_or(Fault::Size)? = length.to_be_bytes();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sea_orm::sea_query::ArrayType;
    use tokio_postgres::types::Type;

    use super::*;

    fn through(elements: &[Value], null_elements: bool) -> Result<Value, Fault> {
        let mut out = BytesMut::new();
        encode(elements, Type::INT4.oid(), Wire::Int4, &mut out).unwrap();
        decode(Wire::Int4, Variant::Int, null_elements, &out)
    }

    #[test]
    fn arrays_survive() {
        for elements in [
            vec![],
            vec![1.into()],
            vec![1.into(), Value::Int(None), 2.into()],
        ] {
            let expected = Value::Array(ArrayType::Int, Some(Box::new(elements.clone())));
            assert_eq!(through(&elements, true), Ok(expected));
        }
    }

    #[test]
    fn null_elements_need_room() {
        assert_eq!(through(&[Value::Int(None)], false), Err(Fault::NullElement));
    }

    #[test]
    fn several_dimensions_are_refused() {
        let raw = [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 23];
        assert_eq!(
            decode(Wire::Int4, Variant::Int, false, &raw),
            Err(Fault::Dimensions)
        );
    }

    #[test]
    fn a_huge_count_allocates_nothing() {
        let mut raw = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23];
        raw.extend([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]);
        assert_eq!(
            decode(Wire::Int4, Variant::Int, true, &raw),
            Err(Fault::Malformed)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer(raw in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(Wire::Int4, Variant::Int, true, &raw);
            let _ = decode(Wire::Text, Variant::String, true, &raw);
        }
    }
}
