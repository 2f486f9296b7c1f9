//! The parsers of what strangers send, for the fuzz targets: each reads whatever it is given and tells
//! whether that was understood.

use garde::Validate;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::de::DeserializeOwned;

use super::{
    CursorKey, Format, Resource, Sight,
    cursor::Cursor,
    etag::IfMatch,
    idempotency::IdempotencyKey,
    input::{read_input, read_json},
    list::{Known, read_selection},
    shown::names_of,
};

fn headers(name: HeaderName, value: &[u8]) -> HeaderMap {
    let value = HeaderValue::from_bytes(value);
    value
        .map(|value| HeaderMap::from_iter([(name, value)]))
        .unwrap_or_default()
}

/// The query of a list: filters, search, order, page, fields, format.
#[must_use]
pub fn query<R: Resource>(raw: &str) -> bool {
    let sight = Sight::default();
    let fields = names_of::<R::Output>().unwrap_or_default();
    let known = Known {
        sight: &sight,
        fields: &fields,
        field_of: R::field_of,
        accept: None,
    };
    let asked = R::list().read(raw, &known);
    asked.map(|asked| asked.condition()).is_ok()
}

/// The query of one row: fields.
#[must_use]
pub fn fields<R: Resource>(raw: &str) -> bool {
    let fields = names_of::<R::Output>().unwrap_or_default();
    read_selection(raw, &fields, &Sight::default()).is_ok()
}

/// A cursor, with a key that nobody else has: it must never be understood.
#[must_use]
pub fn cursor(text: &str, key: &CursorKey) -> bool {
    Cursor::read(text, key, &[]).is_ok()
}

/// The header `If-Match`.
#[must_use]
pub fn if_match(value: &[u8]) -> bool {
    IfMatch::read(&headers(header::IF_MATCH, value), false).is_ok()
}

/// The header `Accept`.
#[must_use]
pub fn accept(value: &[u8]) -> Option<Format> {
    Format::accepted(&headers(header::ACCEPT, value))
}

/// The header `Idempotency-Key`.
#[must_use]
pub fn idempotency_key(value: &[u8]) -> bool {
    let name = HeaderName::from_static("idempotency-key");
    IdempotencyKey::read(&headers(name, value), false).is_ok()
}

/// A body of JSON, as a type.
#[must_use]
pub fn body<T>(body: &[u8]) -> bool
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let headers = headers(header::CONTENT_TYPE, b"application/json");
    let value = read_json(&headers, body);
    value.is_ok_and(|value| read_input::<T>(value, &Sight::default()).is_ok())
}
