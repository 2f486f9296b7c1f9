use crate::catalogue::Oid;

/// Why a policy lets rows through that are not the tenant's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// It is `true`, or always is.
    Always,
    /// It holds while the setting was never set.
    Unset { setting: String },
    /// It holds while the setting is empty, as it is after a transaction that set it.
    Empty { setting: String },
    /// It holds for the rows of one tenant that is written in it, or in a function, while the setting has no value.
    Default { setting: String },
    /// It holds when a setting that anybody can change has some value.
    Flag { setting: String },
    /// It holds for rows without a tenant.
    NullTenant { column: i16 },
    /// It holds for rows of one tenant that is written in the policy, whoever asks: what all share.
    SharedTenant { column: i16 },
    /// It compares the tenant as a pattern.
    Pattern { column: i16 },
    /// It takes tenants that differ in case for the same.
    Fold { column: i16 },
    /// It asks for other columns of the row, and not for the tenant.
    Columns { columns: Vec<i16> },
    /// It asks a table, and not for the tenant of the row.
    Lookup { relation: Oid },
    /// It asks a table that is no tenant's for the one who asks: someone whom the database knows to be above
    /// the tenants.
    Privileged { relation: Oid },
    /// It cannot be told, not even by trying.
    Opaque { why: String },
}

impl Gap {
    /// Whether what passes is meant for every tenant to *read*, or for those who are above them. To write it is
    /// another matter.
    pub(crate) fn is_meant(&self) -> bool {
        matches!(
            self,
            Self::NullTenant { .. }
                | Self::SharedTenant { .. }
                | Self::Privileged { .. }
                | Self::Opaque { .. }
        )
    }
}

/// A way past the policies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Opening {
    /// The permissive policy that lets rows through.
    pub(crate) policy: String,
    /// Whether it is the policy's check of new rows, not its USING.
    pub(crate) check: bool,
    pub(crate) gap: Gap,
}

/// How a table stands against a role and a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No policy holds for the role: row-level security is off, or it is exempt.
    Exempt,
    /// No permissive policy lets any row through.
    Closed,
    /// The tenant's own rows pass, and no others.
    Scoped,
    /// Others' rows pass.
    Open(Vec<Opening>),
}
