use std::fmt;

use uuid::Uuid;

use super::Error;

/// What addresses say for a tenant: 2 to 63 lower-case letters, digits and hyphens, as in a name of the
/// DNS (RFC 1035, section 2.3.1), so that it can become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slug(String);

/// Names that an application needs for itself, in paths or as hosts.
const RESERVED: [&str; 28] = [
    "account",
    "accounts",
    "admin",
    "api",
    "app",
    "assets",
    "auth",
    "dev",
    "docs",
    "help",
    "login",
    "logout",
    "mail",
    "me",
    "new",
    "null",
    "partywall",
    "root",
    "session",
    "sessions",
    "settings",
    "sign-in",
    "sign-up",
    "staff",
    "static",
    "support",
    "tenants",
    "www",
];

impl Slug {
    /// How the slugs of deleted tenants begin.
    const DELETED: &'static str = "deleted-";

    /// Reads a slug.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |message: &str| Err(Error::invalid("slug", message));
        let is_known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(2..=63).contains(&text.len()) {
            return invalid("2 to 63 characters");
        }
        if !text.bytes().all(is_known) {
            return invalid("lower-case letters, digits and hyphens only");
        }
        if text.starts_with('-') || text.ends_with('-') {
            return invalid("no hyphen at the beginning or the end");
        }
        // An address takes either an id or a slug, so no slug may read as an id.
        if Uuid::try_parse(text).is_ok() {
            return invalid("this has the form of an id");
        }
        // `xn--` and its like have a meaning of their own in the DNS (RFC 5891, section 4.2.3.1).
        let is_encoded = text.get(2..4) == Some("--");
        if RESERVED.contains(&text) || text.starts_with(Self::DELETED) || is_encoded {
            return invalid("this is reserved");
        }
        Ok(Self(text.to_owned()))
    }

    /// That of a deleted tenant: nobody can choose it.
    pub(super) fn of_deleted(tenant: Uuid) -> Self {
        Self(format!("{}{tenant}", Self::DELETED))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_can_say() {
        for good in ["ab", "a-b", "acme", "9lives", "a--b", &"a".repeat(63)] {
            assert!(Slug::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "-a",
            "a-",
            "Acme",
            "a_b",
            "a.b",
            "a b",
            "\u{e4}b",
            "a/b",
            "api",
            "xn--bcher-kva",
            "deleted-1",
            &"a".repeat(64),
            "0192f0c8-7d3e-7a51-8a3f-2b1c9d0e4f5a",
            "0192f0c87d3e7a518a3f2b1c9d0e4f5a",
        ] {
            assert!(Slug::parse(bad).is_err(), "{bad}");
        }
        assert!(Slug::parse(Slug::of_deleted(Uuid::now_v7()).as_str()).is_err());
    }
}
