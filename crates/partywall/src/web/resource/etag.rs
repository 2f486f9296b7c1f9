use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use crate::web::Problem;

/// Tags in one header, at most.
const MAX_TAGS: usize = 50;

/// A strong validator (RFC 9110, section 8.8.3): a hash of a representation as one account sees it,
/// and of the tenant, so that none is good in another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Etag(String);

impl Etag {
    /// The tag of a representation. Each part comes with its length.
    pub(super) fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix(b"partywall etag");
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let digits = hash
            .finalize()
            .iter()
            .take(16)
            .fold(String::new(), |mut text, byte| {
                use std::fmt::Write as _;
                let _ = write!(text, "{byte:02x}");
                text
            });
        Self(digits)
    }

    pub(super) fn header(&self) -> HeaderValue {
        let text = format!("\"{}\"", self.0);
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }

    /// Whether a reader has this representation already: `If-None-Match`, by weak comparison.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        match Tags::of(headers, &header::IF_NONE_MATCH) {
            Some(Ok(tags)) => tags.hold(self, true),
            // A condition that nobody understands does not hold.
            Some(Err(_)) | None => false,
        }
    }
}

/// What a writer has seen: `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IfMatch(Option<Tags>);

impl IfMatch {
    /// 428 where the header is demanded and absent, 400 where it cannot be read.
    pub(super) fn read(headers: &HeaderMap, is_demanded: bool) -> Result<Self, Problem> {
        let tags = Tags::of(headers, &header::IF_MATCH).transpose()?;
        if tags.is_none() && is_demanded {
            let detail = "send the `ETag` that you have seen as `If-Match`";
            let status = StatusCode::PRECONDITION_REQUIRED;
            return Err(Problem::new(status, "precondition_required", detail));
        }
        Ok(Self(tags))
    }

    /// Whether there is anything to compare.
    pub(super) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// 412 where the writer has seen something else than what is there now.
    pub(super) fn check(&self, current: &Etag) -> Result<(), Problem> {
        match &self.0 {
            Some(tags) if !tags.hold(current, false) => {
                let detail = "this was changed meanwhile: read it again";
                let status = StatusCode::PRECONDITION_FAILED;
                Err(Problem::new(status, "stale", detail))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A list of tags, or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    Any,
    These(Vec<(bool, String)>),
}

impl Tags {
    fn of(headers: &HeaderMap, name: &header::HeaderName) -> Option<Result<Self, Problem>> {
        let mut lines = headers.get_all(name).iter().peekable();
        lines.peek()?;
        let text: Option<Vec<&str>> = lines.map(|line| line.to_str().ok()).collect();
        let tags = text.and_then(|lines| Self::parse(&lines.join(",")));
        Some(tags.ok_or_else(|| {
            let detail =
                format!("the header `{name}` cannot be read: send an `ETag`, in its quotes");
            Problem::new(StatusCode::BAD_REQUEST, "bad_header", detail)
        }))
    }

    /// `*`, or tags with commas between them, each with its quotes and perhaps `W/` before it.
    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = text.trim_start_matches([' ', '\t', ',']);
        while !rest.is_empty() {
            let (is_weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
            let is_tag = tag
                .bytes()
                .all(|byte| byte == 0x21 || (0x23..=0x7e).contains(&byte));
            if !is_tag || tags.len() == MAX_TAGS {
                return None;
            }
            tags.push((is_weak, tag.to_owned()));
            let next = after.trim_start_matches([' ', '\t']);
            if !next.is_empty() && !next.starts_with(',') {
                return None;
            }
            rest = next.trim_start_matches([' ', '\t', ',']);
        }
        (!tags.is_empty()).then_some(Self::These(tags))
    }

    fn hold(&self, tag: &Etag, weakly: bool) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags
                .iter()
                .any(|(is_weak, text)| (weakly || !is_weak) && *text == tag.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(name: header::HeaderName, text: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(text).unwrap())])
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(Etag::of(&[b"ab", b"c"]), Etag::of(&[b"a", b"bc"]));
        assert_eq!(Etag::of(&[b"ab", b"c"]), Etag::of(&[b"ab", b"c"]));
    }

    #[test]
    fn a_writer_must_have_seen_what_is_there() {
        let (now, then) = (Etag::of(&[b"now"]), Etag::of(&[b"then"]));
        let check = |text: &str| {
            let given = IfMatch::read(&headers(header::IF_MATCH, text), false)?;
            given.check(&now)
        };
        let (now_text, then_text) = (format!("\"{}\"", now.0), format!("\"{}\"", then.0));
        assert_eq!(check(&now_text), Ok(()));
        assert_eq!(check("*"), Ok(()));
        assert_eq!(check(&format!("{then_text} , {now_text}")), Ok(()));
        let status = |text: &str| check(text).unwrap_err().status().as_u16();
        assert_eq!(status(&then_text), 412);
        // A weak tag never matches for a writer.
        assert_eq!(status(&format!("W/{now_text}")), 412);
        for bad in ["", "x", "\"a", "\"a\"b", "\"a b\"", "W/", "W/*", "*, \"a\""] {
            assert_eq!(status(bad), 400, "{bad}");
        }
        let demanded = IfMatch::read(&HeaderMap::new(), true).unwrap_err();
        assert_eq!(demanded.status(), StatusCode::PRECONDITION_REQUIRED);
    }

    #[test]
    fn a_reader_may_have_it_already() {
        let now = Etag::of(&[b"now"]);
        let known = |text: &str| now.is_known(&headers(header::IF_NONE_MATCH, text));
        assert!(known(now.header().to_str().unwrap()));
        assert!(known(&format!("W/\"{}\"", now.0)));
        assert!(!known("\"other\"") && !known("nonsense"));
        assert!(!now.is_known(&HeaderMap::new()));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}") {
            let _ = Tags::parse(&text);
        }

        #[test]
        fn round_trips(tags in proptest::collection::vec((any::<bool>(), "[!#-~]{0,9}"), 1..5)) {
            let text: Vec<String> = tags.iter().map(|(weak, tag)| format!("{}\"{tag}\"", if *weak { "W/" } else { "" })).collect();
            prop_assert_eq!(Tags::parse(&text.join(", ")), Some(Tags::These(tags)));
        }
    }
}
