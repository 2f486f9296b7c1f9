//! `json` and `jsonb`, which differ on the wire by one version byte.

use bytes::{BufMut, BytesMut};
use serde_json::Value as Json;

use super::error::Fault;
use super::wire::Wire;

const JSONB_VERSION: u8 = 1;

/// Reads a document.
pub(super) fn decode(wire: Wire, raw: &[u8]) -> Result<Json, Fault> {
    let text = match (wire, raw) {
        (Wire::Jsonb, [JSONB_VERSION, text @ ..]) => text,
        (Wire::Jsonb, _) => return Err(Fault::Malformed),
        _ => raw,
    };
    serde_json::from_slice(text).map_err(|_| Fault::Json)
}

/// Writes a document.
pub(super) fn encode(json: &Json, wire: Wire, out: &mut BytesMut) -> Result<(), Fault> {
    if wire == Wire::Jsonb {
        out.put_u8(JSONB_VERSION);
    }
    serde_json::to_writer(out.writer(), json).map_err(|_| Fault::Size)
}

/// `jsonb` keeps its strings as PostgreSQL text, so no string and no key may hold a NUL.
pub(super) fn check(json: &Json) -> Result<(), Fault> {
    match json {
        Json::String(text) => text_has_no_nul(text),
        Json::Array(elements) => elements.iter().try_for_each(check),
        Json::Object(fields) => fields.iter().try_for_each(|(key, field)| {
            text_has_no_nul(key)?;
            check(field)
        }),
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
    }
}

/// PostgreSQL's text ends at a NUL, so it takes none.
pub(super) fn text_has_no_nul(text: &str) -> Result<(), Fault> {
    if text.as_bytes().contains(&0) {
        Err(Fault::Nul)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nul_is_found_in_keys_and_strings() {
        assert_eq!(check(&json!({ "a": [1, "b\0"] })), Err(Fault::Nul));
        assert_eq!(check(&json!({ "a\0": 1 })), Err(Fault::Nul));
        assert_eq!(check(&json!({ "a": [1, "b", null, true] })), Ok(()));
    }

    #[test]
    fn another_version_of_jsonb_is_refused() {
        assert_eq!(decode(Wire::Jsonb, b"\x021"), Err(Fault::Malformed));
        assert_eq!(decode(Wire::Jsonb, b"\x011"), Ok(json!(1)));
        assert_eq!(decode(Wire::Json, b"1"), Ok(json!(1)));
    }
}
