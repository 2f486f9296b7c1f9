use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;
use crate::{
    db::Tx,
    identity::{Actor, AuditEntry, RequestAccount, Who},
};

/// Who wanted a job: whoever acted when it was enqueued, however many jobs lie between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobActor {
    #[serde(flatten)]
    role: Role,
    user: Option<Uuid>,
    /// As whom a member of the staff acted.
    subject: Option<Uuid>,
    name: String,
    address: Option<IpAddr>,
}

/// As what somebody acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub(super) enum Role {
    Member { account: Uuid },
    Staff { entry: Uuid },
    Key { key: Uuid, account: Option<Uuid> },
    Service,
}

impl JobActor {
    pub(super) fn of(account: &RequestAccount) -> Self {
        let who = account.who();
        Self {
            role: match account.actor() {
                Actor::Member { account, .. } => Role::Member { account: *account },
                Actor::Staff { entry, .. } => Role::Staff { entry: *entry },
                Actor::Key { key, account, .. } => Role::Key {
                    key: *key,
                    account: *account,
                },
            },
            user: who.user,
            subject: who.subject,
            name: who.name.to_owned(),
            address: who.address,
        }
    }

    /// The service itself, through the part of it that has this name.
    pub(super) fn service(name: &str) -> Self {
        Self {
            role: Role::Service,
            user: None,
            subject: None,
            name: name.to_owned(),
            address: None,
        }
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// The account that acted, or whose key did.
    #[must_use]
    pub fn account(&self) -> Option<Uuid> {
        match self.role {
            Role::Member { account } => Some(account),
            Role::Key { account, .. } => account,
            Role::Staff { .. } | Role::Service => None,
        }
    }

    /// The person. Where a member of the staff acted as somebody else, the member of the staff.
    #[must_use]
    pub fn user(&self) -> Option<Uuid> {
        self.user
    }

    /// By what name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether nobody wanted it but the service itself.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.role == Role::Service
    }

    /// The person, and as whom they acted.
    pub(super) fn people(&self) -> impl Iterator<Item = Uuid> {
        self.user.into_iter().chain(self.subject)
    }

    pub(super) async fn audit(
        &self,
        tx: &Tx,
        tenant: Uuid,
        entry: AuditEntry<'_>,
    ) -> Result<(), Error> {
        let who = Who {
            tenant,
            user: self.user,
            account: self.account(),
            name: &self.name,
            subject: self.subject,
            address: self.address,
        };
        Ok(who.audit(tx, entry).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_it_was_survives_the_queue() {
        for role in [
            Role::Member {
                account: Uuid::now_v7(),
            },
            Role::Staff {
                entry: Uuid::now_v7(),
            },
            Role::Key {
                key: Uuid::now_v7(),
                account: None,
            },
            Role::Service,
        ] {
            let actor = JobActor {
                role,
                user: Some(Uuid::now_v7()),
                subject: None,
                name: "ann".to_owned(),
                address: "192.0.2.1".parse().ok(),
            };
            let json = serde_json::to_value(&actor).unwrap();
            assert_eq!(serde_json::from_value::<JobActor>(json).unwrap(), actor);
        }
        serde_json::from_value::<JobActor>(serde_json::json!({"as": "root"})).unwrap_err();
    }
}
