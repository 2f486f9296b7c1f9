use std::fmt;

use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};

use super::{Error, model::domain};

/// A name of the DNS that can be a tenant's, in its one canonical form: lower case, IDNA's ASCII form
/// (UTS #46, not transitional), no dot at the end.
///
/// Names that look alike are not one: `аpple.example` with a Cyrillic letter is
/// `xn--pple-43d.example`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Hostname(String);

/// Names that are no one's, or lead to the machine itself (RFC 6761, 6762, 7686, 8375, 9476).
const SPECIAL: [&str; 7] = [
    "alt",
    "arpa",
    "internal",
    "invalid",
    "local",
    "localhost",
    "onion",
];

impl Hostname {
    /// Reads what somebody typed.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for what is no name of a host, or more than one: with a scheme, a port, a
    /// user or a path. For an address of a machine, for a single label, and for names that the DNS
    /// does not give to anybody: `localhost`, `x.local`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::canonical(text.trim()).map_err(|message| Error::invalid("host", message))
    }

    /// Reads what a request says, in `Host` or `:authority`: a name, and perhaps a port. `None` for
    /// what can be nobody's.
    #[must_use]
    pub fn of_request(authority: &str) -> Option<Self> {
        let name = match authority.rsplit_once(':') {
            Some((name, port)) => {
                let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
                is_port.then_some(name)?
            }
            None => authority,
        };
        Self::canonical(name).ok()
    }

    fn canonical(text: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str =
            "this is not the name of a host: give it alone, such as `notes.example.com`";
        let name = text.strip_suffix('.').unwrap_or(text);
        // More than a name of the DNS can have in any form: not worth the work.
        if name.len() > 1_024 {
            return Err(MALFORMED);
        }
        let name = Uts46::new()
            .to_ascii(
                name.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::CheckFirstLast,
                DnsLength::Verify,
            )
            .map_err(|_| MALFORMED)?;
        // The proof is published a label below, and a name has 253 characters at most.
        if name.len() + domain::Model::LABEL.len() + 1 > 253 {
            return Err("this name is too long: the record that proves it would not fit");
        }
        let (_, last) = name
            .rsplit_once('.')
            .ok_or("a name of one label is not one of the DNS's: give the whole name")?;
        // `127.0.0.1`, and what else a browser reads as such: `127.1`, `0x7f.1`. No top-level domain
        // begins with a digit.
        if !last.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err("an address is nobody's: give a name");
        }
        if SPECIAL.contains(&last) {
            return Err("the DNS gives this name to nobody");
        }
        Ok(Self(name.into_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this name or one below it.
    #[must_use]
    pub fn is_within(&self, suffix: &Self) -> bool {
        self.0
            .strip_suffix(suffix.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hostname").field(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        Hostname::parse(text).unwrap().as_str().to_owned()
    }

    #[test]
    fn one_host_has_one_name() {
        for same in [
            "example.com",
            "EXAMPLE.com.",
            " example.com\n",
            "\u{ff45}xample.com",
            "example\u{3002}com",
        ] {
            assert_eq!(name(same), "example.com", "{same}");
        }
        assert_eq!(name("B\u{dc}CHER.example"), name("xn--bcher-kva.example"));
        assert_eq!(name("stra\u{df}e.example"), "xn--strae-oqa.example");
        // What looks alike and is not the same.
        assert_eq!(name("\u{430}pple.example"), "xn--pple-43d.example");
        assert_ne!(name("\u{430}pple.example"), name("apple.example"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ".",
            "com",
            "localhost",
            "notes.localhost",
            "printer.local",
            "1.0.0.127.in-addr.arpa",
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0x7f.0x1",
            "\u{ff11}27.0.0.1",
            "2130706433",
            "[::1]",
            "::1",
            "example.com:443",
            "https://example.com",
            "example.com/",
            "user@example.com",
            "example.com@other.example",
            "example.com\\other.example",
            "example.com#",
            "example.com?x",
            "exa mple.com",
            "exa\0mple.com",
            "example.com\r\nx: y",
            "%65xample.com",
            "*.example.com",
            "_partywall.example.com",
            "example..com",
            "example.com..",
            ".example.com",
            "-example.com",
            "example-.com",
            "xn--a.example",
            &format!("{}.example", "a".repeat(64)),
            &format!("{}example", "abcdefg.".repeat(30)),
        ] {
            let parsed = Hostname::parse(text);
            assert!(
                matches!(parsed, Err(Error::Invalid { field: "host", .. })),
                "{text:?}: {parsed:?}"
            );
        }
        // The control: as long as it may be.
        let long = format!("{}example", "abcdefg.".repeat(29));
        assert_eq!(name(&long), long);
    }

    #[test]
    fn a_request_may_name_a_port_and_nothing_else() {
        for same in [
            "example.com",
            "Example.COM:8443",
            "example.com.:443",
            "example.com:",
        ] {
            let host = Hostname::of_request(same).unwrap();
            assert_eq!(host.as_str(), "example.com", "{same}");
        }
        for other in [
            "",
            ":80",
            "example.com:http",
            "example.com:443:443",
            "example.com:443@other.example",
            "other.example@example.com",
            " example.com",
            "example.com, other.example",
            "127.0.0.1:8080",
            "[::1]:8080",
            "localhost:8080",
        ] {
            assert_eq!(Hostname::of_request(other), None, "{other:?}");
        }
    }

    #[test]
    fn within_goes_by_labels() {
        let host = |text| Hostname::parse(text).unwrap();
        let own = host("notes.example");
        assert!(own.is_within(&own) && host("a.b.notes.example").is_within(&own));
        assert!(!host("footnotes.example").is_within(&own));
        assert!(!host("notes.example.org").is_within(&own));
        assert!(!own.is_within(&host("a.notes.example")));
    }
}
