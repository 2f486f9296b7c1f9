use std::fmt;

use sha2::{Digest, Sha256};

use super::Error;

/// 256 random bits in hexadecimal digits. Only their hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn generate() -> Result<Self, Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(Error::Random)?;
        Ok(Self(hex(&bytes)))
    }

    /// What has the form of a secret. Anything else opens nothing and is not looked up.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 64 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What the database holds. A plain hash is enough: there is nothing to guess at in 256 random
    /// bits.
    pub(super) fn hash(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The token that a browser keeps. Whoever has it is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionToken(pub(super) Secret);

impl SessionToken {
    /// Reads a token from a cookie. `None` for what has not the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Secret::parse(text).map(Self)
    }

    /// The token, for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

/// A program's key, as its `Authorization: Bearer` header carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey(pub(super) Secret);

impl ApiKey {
    /// What all keys begin with, so that scanners find one that was published by mistake.
    pub const PREFIX: &'static str = "pwk_";

    /// Reads a key. `None` for what has not the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Secret::parse(text.strip_prefix(Self::PREFIX)?).map(Self)
    }

    /// The key, to be shown once.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}{}", Self::PREFIX, self.0.as_str())
    }

    /// How it begins, to tell it from others.
    pub(super) fn hint(&self) -> String {
        self.expose().chars().take(Self::PREFIX.len() + 6).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_nothing_else_is() {
        let secret = Secret::generate().unwrap();
        assert_eq!(Secret::parse(secret.as_str()), Some(secret.clone()));
        assert_ne!(secret.hash(), secret.as_str());
        for other in [
            "",
            "abc",
            &secret.as_str().to_uppercase(),
            &format!("{}0", secret.as_str()),
        ] {
            assert_eq!(Secret::parse(other), None, "{other}");
        }
        let key = ApiKey(secret);
        assert_eq!(ApiKey::parse(&key.expose()), Some(key.clone()));
        assert_eq!(ApiKey::parse(key.0.as_str()), None);
    }

    #[test]
    fn a_secret_is_never_printed() {
        let token = SessionToken(Secret::generate().unwrap());
        assert!(!format!("{token:?}").contains(token.expose()));
    }
}
