use std::{fmt, sync::Arc};

use crate::policy::Decide;

/// Who may use an endpoint.
#[derive(Clone)]
#[non_exhaustive]
pub enum Access {
    /// Everybody, signed in or not.
    Public {
        /// Why nothing is checked.
        why: &'static str,
    },
    /// Whoever is signed in, whatever their accounts.
    SignedIn,
    /// An account in the tenant that the request names, as far as a policy allows it.
    Account {
        /// What decides.
        policy: Arc<dyn Decide>,
        /// In which state the tenant may be.
        tenant: TenantState,
    },
}

/// In which state a tenant may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TenantState {
    /// Open.
    Open,
    /// Open, suspended or deleted: to bring it back.
    Any,
}

impl Access {
    /// What decides, where an account is asked for.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<dyn Decide>> {
        match self {
            Self::Account { policy, .. } => Some(policy),
            Self::Public { .. } | Self::SignedIn => None,
        }
    }

    /// Whether it lets somebody into a tenant that is suspended or deleted.
    #[must_use]
    pub fn admits_closed(&self) -> bool {
        matches!(
            self,
            Self::Account {
                tenant: TenantState::Any,
                ..
            }
        )
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public { why } => write!(f, "public: {why}"),
            Self::SignedIn => f.write_str("signed in"),
            Self::Account { policy, tenant } => {
                f.write_str(policy.name())?;
                match tenant {
                    TenantState::Open => Ok(()),
                    TenantState::Any => f.write_str(", also of a closed tenant"),
                }
            }
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({self})")
    }
}
