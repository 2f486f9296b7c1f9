use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{list::Term, typed::exact};
use crate::web::Problem;
use http::StatusCode;
use sea_orm::{ColumnTrait, ModelTrait, Value};

/// The form of a cursor, its first byte.
const VERSION: u8 = 1;
/// Bytes of an HMAC-SHA-256.
const MAC: usize = 32;
/// Characters of a cursor, at most.
const MAX: usize = 8_192;

/// The key that signs cursors. All processes of a service share one, since the next page may be asked
/// of another.
///
/// A secret of its own, or what [`derived`](Self::derived) makes of one that the service has already.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key for cursors has at least 32 bytes: make one with `openssl rand -hex 32`")]
pub struct CursorKeyError;

impl CursorKey {
    /// Makes a key of at least 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`CursorKeyError`].
    pub fn new(bytes: &[u8]) -> Result<Self, CursorKeyError> {
        if bytes.len() < 32 {
            return Err(CursorKeyError);
        }
        Hmac::new_from_slice(bytes)
            .map(Self)
            .map_err(|_| CursorKeyError)
    }

    /// Makes a key of another secret, of which it tells nothing: HMAC-SHA-256 of a fixed text by it.
    ///
    /// # Errors
    ///
    /// [`CursorKeyError`] for one of less than 32 bytes.
    pub fn derived(secret: &[u8]) -> Result<Self, CursorKeyError> {
        let Self(mac) = Self::new(secret)?;
        let derived = mac.chain_update(b"partywall cursors").finalize();
        Self::new(&derived.into_bytes())
    }

    /// Each part comes with its length, so that no two lists of parts are signed alike.
    fn sign(&self, bound: &[String], payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in bound.iter().map(String::as_bytes).chain([payload]) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey")
    }
}

/// A place between two rows of a list, and which way to go on from there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cursor {
    /// The row next to the place, by its values in the order of the list.
    pub(super) position: Vec<Option<String>>,
    /// Whether the rows before it are wanted.
    pub(super) before: bool,
}

impl Cursor {
    pub(super) fn at<M: ModelTrait>(
        row: &M,
        order: &[Term<<M::Entity as sea_orm::EntityTrait>::Column>],
        before: bool,
    ) -> Result<Self, Problem> {
        let position = order
            .iter()
            .map(|term| exact(row.get(term.column)))
            .collect::<Result<_, ()>>()
            .map_err(|()| {
                tracing::error!("a list is sorted by a column that no cursor can hold");
                Problem::internal()
            })?;
        Ok(Self { position, before })
    }

    /// The text of the cursor, which is good for what it is bound to and nothing else. The values of
    /// the row can be read in it: a list is sorted only by what the account sees.
    pub(super) fn write(&self, key: &CursorKey, bound: &[String]) -> String {
        let payload = serde_json::to_vec(&(self.before, &self.position)).unwrap_or_default();
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&key.sign(bound, &payload).finalize().into_bytes());
        bytes.extend_from_slice(&payload);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`write`](Self::write) wrote for the same list. One of another tenant, list or query,
    /// an altered and a truncated one are the same error.
    pub(super) fn read(text: &str, key: &CursorKey, bound: &[String]) -> Result<Self, Problem> {
        Self::verified(text, key, bound).ok_or_else(bad)
    }

    fn verified(text: &str, key: &CursorKey, bound: &[String]) -> Option<Self> {
        if text.len() > MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (mac, payload) = rest.split_at_checked(MAC)?;
        // In constant time.
        key.sign(bound, payload).verify_slice(mac).ok()?;
        let (before, position) = serde_json::from_slice(payload).ok()?;
        (*version == VERSION).then_some(Self { position, before })
    }

    /// The values of the position, by the types of the order.
    pub(super) fn values<C: ColumnTrait>(
        &self,
        order: &[Term<C>],
    ) -> Result<Vec<Option<Value>>, Problem> {
        if self.position.len() != order.len() {
            return Err(bad());
        }
        let values = order.iter().zip(&self.position).map(|(term, text)| {
            let Some(text) = text else {
                return term.is_nullable.then_some(None);
            };
            term.typed.parse_exact(text).map(Some)
        });
        values.collect::<Option<_>>().ok_or_else(bad)
    }
}

fn bad() -> Problem {
    let detail = "this cursor does not belong to this list: begin at its first page";
    Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> CursorKey {
        CursorKey::new(&[7; 32]).unwrap()
    }

    fn bound(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    fn cursor() -> Cursor {
        Cursor {
            position: vec![Some("b".to_owned()), None],
            before: false,
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_list_alone() {
        let own = bound(&["tenant a", "note", "author=ann"]);
        let text = cursor().write(&key(), &own);
        assert_eq!(Cursor::read(&text, &key(), &own), Ok(cursor()));
        let mut answers = vec![];
        for other in [
            bound(&["tenant b", "note", "author=ann"]),
            bound(&["tenant a", "tag", "author=ann"]),
            bound(&["tenant a", "note", "author=bob"]),
            bound(&["tenant a", "note", "author=ann", ""]),
            bound(&["tenant a", "noteauthor=ann"]),
        ] {
            answers.push(Cursor::read(&text, &key(), &other).unwrap_err());
        }
        let other = CursorKey::new(&[8; 32]).unwrap();
        answers.push(Cursor::read(&text, &other, &own).unwrap_err());
        for end in 0..text.len() {
            answers.push(Cursor::read(text.get(..end).unwrap(), &key(), &own).unwrap_err());
        }
        answers.push(Cursor::read(&format!("{text}="), &key(), &own).unwrap_err());
        assert!(answers.iter().all(|answer| *answer == bad()));
    }

    #[test]
    fn every_altered_byte_is_found() {
        let own = bound(&["tenant a"]);
        let bytes = URL_SAFE_NO_PAD
            .decode(cursor().write(&key(), &own))
            .unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let text = URL_SAFE_NO_PAD.encode(altered);
            assert!(Cursor::read(&text, &key(), &own).is_err(), "{at}");
        }
    }

    #[test]
    fn a_short_key_is_refused_and_none_is_printed() {
        assert_eq!(CursorKey::new(&[1; 31]).unwrap_err(), CursorKeyError);
        assert_eq!(CursorKey::derived(&[1; 31]).unwrap_err(), CursorKeyError);
        assert_eq!(format!("{:?}", key()), "CursorKey");
        let own = bound(&["tenant a"]);
        let derived = CursorKey::derived(&[7; 32]).unwrap();
        assert!(Cursor::read(&cursor().write(&derived, &own), &key(), &own).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Cursor::read(&text, &key(), &[]).is_err());
            prop_assert!(Cursor::read(&URL_SAFE_NO_PAD.encode(bytes), &key(), &[]).is_err());
        }

        #[test]
        fn round_trips(position in proptest::collection::vec(proptest::option::of("\\PC{0,20}"), 0..5), before in any::<bool>(), parts in proptest::collection::vec("\\PC{0,9}", 0..4)) {
            let cursor = Cursor { position, before };
            prop_assert_eq!(Cursor::read(&cursor.write(&key(), &parts), &key(), &parts), Ok(cursor));
        }
    }
}
