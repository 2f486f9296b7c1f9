use http::{HeaderMap, HeaderName, StatusCode};

use crate::web::Problem;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// Characters of a key, at most.
const MAX: usize = 255;

/// What a client calls a request, so that it can send it again and have it done once
/// (draft-ietf-httpapi-idempotency-key-header).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::web::resource) struct IdempotencyKey(pub(super) String);

impl IdempotencyKey {
    /// The header's value: visible characters, with quotes around them or without. 400 for another, and
    /// for none where one is demanded.
    pub(in crate::web::resource) fn read(
        headers: &HeaderMap,
        is_demanded: bool,
    ) -> Result<Option<Self>, Problem> {
        let mut lines = headers.get_all(HEADER).iter();
        let Some(line) = lines.next() else {
            return if is_demanded {
                Err(bad(
                    "send a new `Idempotency-Key` with each request of this kind",
                ))
            } else {
                Ok(None)
            };
        };
        let key = line.to_str().ok().filter(|_| lines.next().is_none());
        match key.and_then(Self::parse) {
            Some(key) => Ok(Some(key)),
            None => Err(bad("an `Idempotency-Key` has 1 to 255 visible characters")),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let key = match text.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"')?,
            None => text,
        };
        let is_key = (1..=MAX).contains(&key.len())
            && key
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        is_key.then(|| Self(key.to_owned()))
    }
}

fn bad(detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_idempotency_key", detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_may_stand_in_quotes() {
        let key = |text| IdempotencyKey::parse(text).map(|key| key.0);
        assert_eq!(key("\"8e03978e\""), Some("8e03978e".to_owned()));
        assert_eq!(key("8e03978e"), Some("8e03978e".to_owned()));
        for bad in [
            "",
            "\"\"",
            "\"",
            "a b",
            "a\"b",
            "\"a",
            "ä",
            &"x".repeat(256),
        ] {
            assert_eq!(key(bad), None, "{bad}");
        }
        assert!(IdempotencyKey::read(&HeaderMap::new(), true).is_err());
        assert_eq!(IdempotencyKey::read(&HeaderMap::new(), false), Ok(None));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,300}") {
            let _ = IdempotencyKey::parse(&text);
        }
    }
}
