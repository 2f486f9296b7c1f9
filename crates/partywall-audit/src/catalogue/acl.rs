use super::Oid;

/// The grantee that stands for everybody.
pub(crate) const PUBLIC: Oid = 0;

/// A right that can be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Privilege {
    Select,
    Insert,
    Update,
    Delete,
    Truncate,
    References,
    Trigger,
    Usage,
    Create,
    Execute,
    Temporary,
    /// One that nothing here asks for.
    Other,
}

impl Privilege {
    /// As `aclexplode` writes it.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "SELECT" => Self::Select,
            "INSERT" => Self::Insert,
            "UPDATE" => Self::Update,
            "DELETE" => Self::Delete,
            "TRUNCATE" => Self::Truncate,
            "REFERENCES" => Self::References,
            "TRIGGER" => Self::Trigger,
            "USAGE" => Self::Usage,
            "CREATE" => Self::Create,
            "EXECUTE" => Self::Execute,
            "TEMPORARY" => Self::Temporary,
            _ => Self::Other,
        }
    }

    /// As GRANT and REVOKE want it.
    pub(crate) const fn keyword(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Truncate => "TRUNCATE",
            Self::References => "REFERENCES",
            Self::Trigger => "TRIGGER",
            Self::Usage => "USAGE",
            Self::Create => "CREATE",
            Self::Execute => "EXECUTE",
            Self::Temporary => "TEMPORARY",
            Self::Other => "ALL",
        }
    }
}

/// A right that somebody has. The owner's own rights are among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// A role, or [`PUBLIC`].
    pub(crate) grantee: Oid,
    pub(crate) privilege: Privilege,
    /// For rights on one column, its number.
    pub(crate) column: Option<i16>,
}
