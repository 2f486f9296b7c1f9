use tokio::sync::broadcast;
use uuid::Uuid;

use super::Identity;

/// Something that has happened and was committed, for the application to act on.
///
/// Events are sent after the commit and only to whoever listens then: for what must not be missed,
/// read the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Somebody signed up and showed that the address is theirs.
    UserCreated {
        /// Who.
        user: Uuid,
    },
    /// A person was deactivated.
    UserDeactivated {
        /// Who.
        user: Uuid,
    },
    /// A password was changed, or set anew.
    PasswordChanged {
        /// Whose.
        user: Uuid,
    },
    /// A tenant was created.
    TenantCreated {
        /// Which.
        tenant: Uuid,
    },
    /// A tenant's name, slug or seats were changed.
    TenantChanged {
        /// Which.
        tenant: Uuid,
    },
    /// A tenant was suspended.
    TenantSuspended {
        /// Which.
        tenant: Uuid,
    },
    /// A tenant was resumed.
    TenantResumed {
        /// Which.
        tenant: Uuid,
    },
    /// A tenant was deleted; it is gone when its time of grace is over.
    TenantDeleted {
        /// Which.
        tenant: Uuid,
    },
    /// A deleted tenant was brought back.
    TenantRestored {
        /// Which.
        tenant: Uuid,
    },
    /// A tenant is gone.
    TenantGone {
        /// Which.
        tenant: Uuid,
    },
    /// An account was added to a tenant.
    MemberAdded {
        /// Where.
        tenant: Uuid,
        /// Which.
        account: Uuid,
    },
    /// An account was deactivated.
    MemberDeactivated {
        /// Where.
        tenant: Uuid,
        /// Which.
        account: Uuid,
    },
    /// An account was reactivated.
    MemberReactivated {
        /// Where.
        tenant: Uuid,
        /// Which.
        account: Uuid,
    },
    /// A person left or was removed.
    MemberRemoved {
        /// Where.
        tenant: Uuid,
        /// Which account they had.
        account: Uuid,
    },
    /// What an account may do was changed: its roles, groups or grants.
    RightsChanged {
        /// Where.
        tenant: Uuid,
        /// Which; all of the tenant's where a role or a group was changed.
        account: Option<Uuid>,
    },
    /// Somebody was invited.
    Invited {
        /// Where.
        tenant: Uuid,
        /// The invitation.
        invitation: Uuid,
    },
    /// A host was shown to be a tenant's: it selects the tenant.
    DomainVerified {
        /// Whose.
        tenant: Uuid,
        /// Which.
        host: String,
    },
    /// A host's record is gone: it selects the tenant no longer.
    DomainLost {
        /// Whose it was.
        tenant: Uuid,
        /// Which.
        host: String,
    },
    /// A tenant gave up a host, verified or not.
    DomainRemoved {
        /// Whose it was.
        tenant: Uuid,
        /// Which.
        host: String,
    },
    /// A member of the staff entered a tenant, or began to act as somebody in it.
    StaffEntered {
        /// Where.
        tenant: Uuid,
        /// Who.
        user: Uuid,
    },
}

impl Event {
    /// Whether it may have taken a right from an account, or from the person behind it.
    pub(super) fn may_take_from(
        &self,
        tenant: Uuid,
        account: Option<Uuid>,
        person: Option<Uuid>,
    ) -> bool {
        match self {
            Self::UserDeactivated { user } | Self::PasswordChanged { user } => {
                person == Some(*user)
            }
            Self::TenantSuspended { tenant: of }
            | Self::TenantDeleted { tenant: of }
            | Self::TenantGone { tenant: of } => tenant == *of,
            Self::MemberDeactivated {
                tenant: of,
                account: whose,
            }
            | Self::MemberRemoved {
                tenant: of,
                account: whose,
            } => tenant == *of && account == Some(*whose),
            Self::RightsChanged {
                tenant: of,
                account: whose,
            } => tenant == *of && (whose.is_none() || *whose == account),
            Self::UserCreated { .. }
            | Self::TenantCreated { .. }
            | Self::TenantChanged { .. }
            | Self::TenantResumed { .. }
            | Self::TenantRestored { .. }
            | Self::MemberAdded { .. }
            | Self::MemberReactivated { .. }
            | Self::Invited { .. }
            | Self::DomainVerified { .. }
            | Self::DomainLost { .. }
            | Self::DomainRemoved { .. }
            | Self::StaffEntered { .. } => false,
        }
    }
}

/// How many events wait for a slow listener before it misses the oldest.
pub(super) const WAITING: usize = 1_024;

impl Identity {
    /// Listens to what happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// Tells whoever listens. Called after the commit.
    pub(super) fn emit(&self, event: Event) {
        // An error says that nobody listens.
        let _ = self.inner.events.send(event);
    }
}
