//! One scalar, into PostgreSQL's binary format.

use bytes::{BufMut, BytesMut};
use sea_orm::Value;
use sea_orm::sea_query::OptionEnum;

use super::error::Fault;
use super::wire::Wire;
use super::{integer, json, moment, network, numeric};

/// Writes a scalar in binary.
pub(super) fn scalar(value: &Value, wire: Wire, out: &mut BytesMut) -> Result<(), Fault> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "what is left are nulls, arrays, and variants of unknown features of sea-query"
    )]
    match value {
        Value::Bool(Some(truth)) => out.put_u8((*truth).into()),
        Value::TinyInt(_)
        | Value::SmallInt(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::TinyUnsigned(_)
        | Value::SmallUnsigned(_)
        | Value::Unsigned(_)
        | Value::BigUnsigned(_) => integer::encode(value, wire, out)?,
        Value::Float(Some(number)) if wire == Wire::Float8 => out.put_f64((*number).into()),
        Value::Float(Some(number)) => out.put_f32(*number),
        Value::Double(Some(number)) => out.put_f64(*number),
        Value::String(Some(text)) => put_text(text, wire, out)?,
        Value::Enum(OptionEnum::Some(label)) => put_text(&label.value, wire, out)?,
        Value::Char(Some(character)) => {
            put_text(character.encode_utf8(&mut [0; 4]), wire, out)?;
        }
        Value::Bytes(Some(bytes)) => out.put_slice(bytes),
        Value::Json(Some(json)) => json::encode(json, wire, out)?,
        Value::ChronoDate(_)
        | Value::ChronoTime(_)
        | Value::ChronoDateTime(_)
        | Value::ChronoDateTimeUtc(_)
        | Value::ChronoDateTimeLocal(_)
        | Value::ChronoDateTimeWithTimeZone(_)
        | Value::TimeDate(_)
        | Value::TimeTime(_)
        | Value::TimeDateTime(_)
        | Value::TimeDateTimeWithTimeZone(_) => moment::encode(value, out)?,
        Value::Uuid(Some(uuid)) => out.put_slice(uuid.as_bytes()),
        Value::Decimal(Some(decimal)) => numeric::encode_decimal(decimal, out)?,
        Value::BigDecimal(Some(decimal)) => numeric::encode_big_decimal(decimal, out)?,
        Value::IpNetwork(Some(network)) => network::encode_ip_network(network, out),
        Value::MacAddress(Some(address)) => out.put_slice(&address.bytes()),
        _ => return Err(Fault::Mixed),
    }
    Ok(())
}

/// Text into a text-like type, or a single letter into `"char"`, of which the server would
/// otherwise keep the first byte in silence.
fn put_text(text: &str, wire: Wire, out: &mut BytesMut) -> Result<(), Fault> {
    if wire == Wire::Char && (text.len() != 1 || !text.is_ascii()) {
        return Err(Fault::NotOneCharacter);
    }
    out.put_slice(text.as_bytes());
    Ok(())
}
