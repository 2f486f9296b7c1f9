use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::{EMAIL, Error};
use crate::scope::Selection;

/// An address of mail: as it was typed, and in the form by which it is one person's.
///
/// Two addresses are one if they differ in letter case, in Unicode form (NFKC, UAX #15) or in how the
/// domain is written (IDNA, UTS #46). Strictly the part before the `@` is the receiving server's
/// business (RFC 5321, section 2.4); no server in use tells `Ann` from `ann`, and people do not either.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    typed: String,
    key: String,
}

impl EmailAddress {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for what no mail server would take.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let malformed = || Error::invalid("email", "this is not an e-mail address");
        let typed = text.trim();
        let folded: String = typed
            .nfkc()
            .collect::<String>()
            .to_lowercase()
            .nfkc()
            .collect();
        let (local, domain) = folded.rsplit_once('@').ok_or_else(malformed)?;
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| malformed())?;
        let is_odd = |c: char| c.is_control() || c.is_whitespace() || "@<>()[]\\,;:\"".contains(c);
        if local.is_empty() || local.len() > 64 || local.contains(is_odd) || !domain.contains('.') {
            return Err(malformed());
        }
        let key = format!("{local}@{domain}");
        if key.len() > 254 || typed.len() > 320 {
            return Err(malformed());
        }
        Ok(Self {
            typed: typed.to_owned(),
            key,
        })
    }

    /// As it was typed.
    #[must_use]
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// In canonical form.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The rows of this address.
    pub(super) fn rows(&self) -> Selection {
        EMAIL.is(self.key.clone())
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EmailAddress").field(&self.key).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_one_address() {
        let key = |text: &str| EmailAddress::parse(text).unwrap().key().to_owned();
        for same in [
            "ann@example.com",
            " Ann@EXAMPLE.com ",
            "\u{ff41}nn@example.com",
        ] {
            assert_eq!(key(same), "ann@example.com", "{same}");
        }
        assert_eq!(
            key("Zo\u{eb}@b\u{fc}cher.example"),
            key("zoe\u{308}@xn--bcher-kva.example")
        );
        assert_ne!(key("ann@example.com"), key("ann@example.org"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@localhost",
            "a b@example.com",
            "a\u{0}@example.com",
            "a@b@example.com",
            "ann@exa mple.com",
            "ann@example.com\nBcc: x@example.com",
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
    }
}
