use std::{fmt, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Whether the context that policies read is sealed.
///
/// A context is what the application tells PostgreSQL about the scope of a transaction. Sealed, it
/// carries an HMAC-SHA-256 (RFC 2104) by a key that only the application and a `SECURITY DEFINER`
/// function know, and an expiry. So a statement that an attacker injected into tenant A's work can
/// set the context to what it likes: without the key it reads nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Seal {
    /// Sealed with the first key; contexts sealed with any of the keys are read.
    On(Vec<SealKey>),
    /// Not sealed. One injected `set_config` reads any tenant's rows: SECURITY.md shows the
    /// statement. Policies, keys and grants still hold against bugs.
    Off,
}

/// A key that seals contexts: 32 bytes, and the short name under which the database knows it.
///
/// To change keys, apply the schema with both (the old one second), roll the application out with
/// the new one first, then apply the schema with the new one alone.
#[derive(Clone)]
pub struct SealKey {
    id: String,
    mac: Hmac<Sha256>,
    /// SHA-256 block of the key XOR ipad and XOR opad: all that verifying needs.
    pads: ([u8; 64], [u8; 64]),
}

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealKeyError {
    /// Too little to guess at.
    #[error("a seal key has at least 32 bytes: make one with `openssl rand -hex 32`")]
    TooShort,
    /// The text is not hexadecimal.
    #[error("a seal key is written in hexadecimal digits: make one with `openssl rand -hex 32`")]
    NotHex,
}

impl Seal {
    /// Sealed with one key.
    #[must_use]
    pub fn on(key: SealKey) -> Self {
        Self::On(vec![key])
    }

    /// How long a sealed context may wait between its making and the start of its transaction.
    pub(crate) const LIFETIME: Duration = Duration::from_secs(60);

    /// The context text: `mac.key.expiry.json` sealed, the JSON alone otherwise.
    pub(crate) fn apply(&self, json: &str, expires_unix: u64) -> String {
        match self {
            Self::On(keys) => match keys.first() {
                Some(key) => key.seal(json, expires_unix),
                None => String::new(),
            },
            Self::Off => json.to_owned(),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }

    pub(crate) fn keys(&self) -> &[SealKey] {
        match self {
            Self::On(keys) => keys,
            Self::Off => &[],
        }
    }
}

impl SealKey {
    /// Makes a key of at least 32 random bytes. Its name is derived from it, so two processes with
    /// the same key agree on the name.
    ///
    /// # Errors
    ///
    /// [`SealKeyError::TooShort`].
    pub fn new(bytes: &[u8]) -> Result<Self, SealKeyError> {
        if bytes.len() < 32 {
            return Err(SealKeyError::TooShort);
        }
        let mut block = [0_u8; 64];
        if bytes.len() > block.len() {
            block
                .iter_mut()
                .zip(Sha256::digest(bytes))
                .for_each(|(to, from)| *to = from);
        } else {
            block
                .iter_mut()
                .zip(bytes)
                .for_each(|(to, from)| *to = *from);
        }
        let mac = Hmac::<Sha256>::new_from_slice(bytes).map_err(|_| SealKeyError::TooShort)?;
        let name = mac
            .clone()
            .chain_update(b"partywall key name")
            .finalize()
            .into_bytes();
        Ok(Self {
            id: hex(name.get(..4).unwrap_or_default()),
            mac,
            pads: (block.map(|byte| byte ^ 0x36), block.map(|byte| byte ^ 0x5c)),
        })
    }

    /// Reads a key from at least 64 hexadecimal digits, as `openssl rand -hex 32` prints them.
    ///
    /// # Errors
    ///
    /// [`SealKeyError`].
    pub fn from_hex(text: &str) -> Result<Self, SealKeyError> {
        let text = text.trim();
        if !text.len().is_multiple_of(2) || !text.is_ascii() {
            return Err(SealKeyError::NotHex);
        }
        let bytes = text
            .as_bytes()
            .chunks(2)
            .map(|pair| {
                let digits = std::str::from_utf8(pair).map_err(|_| SealKeyError::NotHex)?;
                u8::from_str_radix(digits, 16).map_err(|_| SealKeyError::NotHex)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(&bytes)
    }

    /// The key's name in the database and in each context.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn pads(&self) -> (&[u8], &[u8]) {
        (&self.pads.0, &self.pads.1)
    }

    /// What `partywall.seal_keys()` answers for this key.
    pub(crate) fn hash(&self) -> String {
        let (inner, outer) = self.pads();
        let hash = Sha256::new().chain_update(inner).chain_update(outer);
        hex(&hash.finalize())
    }

    fn seal(&self, json: &str, expires_unix: u64) -> String {
        let message = format!("{}.{expires_unix}.{json}", self.id);
        let mac = self
            .mac
            .clone()
            .chain_update(message.as_bytes())
            .finalize()
            .into_bytes();
        format!("{}.{message}", hex(&mac))
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_is_hmac_sha_256_by_the_pads() {
        for bytes in [vec![7_u8; 32], vec![9_u8; 64], vec![1_u8; 100]] {
            let key = SealKey::new(&bytes).unwrap();
            let sealed = key.seal("{}", 42);
            let (mac, message) = sealed.split_once('.').unwrap();
            let (inner, outer) = key.pads();
            let inside = Sha256::new()
                .chain_update(inner)
                .chain_update(message)
                .finalize();
            let by_pads = Sha256::new()
                .chain_update(outer)
                .chain_update(inside)
                .finalize();
            assert_eq!(mac, hex(&by_pads));
        }
    }

    #[test]
    fn a_short_or_malformed_key_is_refused() {
        assert_eq!(SealKey::new(&[0; 31]).unwrap_err(), SealKeyError::TooShort);
        assert_eq!(SealKey::from_hex("abc").unwrap_err(), SealKeyError::NotHex);
        assert_eq!(
            SealKey::from_hex(&"zz".repeat(32)).unwrap_err(),
            SealKeyError::NotHex
        );
        assert!(SealKey::from_hex(&"ab".repeat(32)).is_ok());
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = SealKey::new(&[0xab; 32]).unwrap();
        assert!(!format!("{key:?}").contains("abab"));
    }
}
