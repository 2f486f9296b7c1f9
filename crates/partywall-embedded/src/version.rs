//! PostgreSQL's version.

use std::fmt;

/// A version of PostgreSQL, such as 15.18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
}

impl Version {
    /// The oldest major version that Partywall supports.
    pub const OLDEST_MAJOR: u16 = 14;

    /// The number before the dot: data folders fit exactly one of them.
    #[must_use]
    pub const fn major(self) -> u16 {
        self.major
    }

    /// The number after the dot; 0 for development versions such as `18beta1`.
    #[must_use]
    pub const fn minor(self) -> u16 {
        self.minor
    }

    /// Reads the output of `postgres --version`, for example `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    pub(crate) fn parse(output: &str) -> Option<Self> {
        let (_, number) = output.split_once("(PostgreSQL) ")?;
        let number = number.split_whitespace().next()?;
        let (major, rest) = leading_number(number)?;
        let minor = rest
            .strip_prefix('.')
            .and_then(leading_number)
            .map_or(0, |(minor, _)| minor);
        Some(Self { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

fn leading_number(text: &str) -> Option<(u16, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn what_postgres_prints() {
        let of = |text| Version::parse(text).map(|version| version.to_string());
        assert_eq!(
            of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some("15.18".into())
        );
        assert_eq!(of("postgres (PostgreSQL) 18.6\n"), Some("18.6".into()));
        assert_eq!(of("postgres (PostgreSQL) 18beta1"), Some("18.0".into()));
        assert_eq!(
            of("postgres (PostgreSQL) 16.3 - Percona Distribution"),
            Some("16.3".into())
        );
        assert_eq!(of("postgres (PostgreSQL) 9.6.24"), Some("9.6".into()));
        assert_eq!(of("postgres (PostgreSQL) "), None);
        assert_eq!(of("command not found"), None);
    }
}
