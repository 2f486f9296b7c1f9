use std::ops::Deref;

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Actor, BuiltIn, Error, PermissionSet, RequestAccount};
use crate::db::{Sql as _, Tx};

/// A change of who is what in a tenant: a transaction that holds the tenant's row, so that two of them
/// never overlap, and the actor's rights as they are behind that lock.
///
/// The tenant's row is locked before any account's: every such change takes them in this order.
#[derive(Debug)]
pub(super) struct Change<'a> {
    account: &'a RequestAccount,
    tx: Tx,
    held: PermissionSet,
}

#[derive(FromQueryResult)]
struct Closed {
    is_suspended: bool,
    is_deleted: bool,
}

/// Waits for the tenant's row and keeps it until the transaction ends. What refers to the tenant can
/// still be written meanwhile.
pub(super) async fn tenant_lock(tx: &Tx, tenant: Uuid) -> Result<(), Error> {
    let closed: Option<Closed> = tx
        .optional(
            "SELECT suspended_at IS NOT NULL AS is_suspended, delete_after IS NOT NULL AS is_deleted \
             FROM identity.tenant WHERE id = $1 FOR NO KEY UPDATE",
            [tenant.into()],
        )
        .await?;
    match closed {
        None
        | Some(Closed {
            is_deleted: true, ..
        }) => Err(Error::NotFound),
        Some(Closed {
            is_suspended: true, ..
        }) => Err(Error::Suspended),
        Some(_) => Ok(()),
    }
}

/// Whether somebody who can sign in owns the tenant if not for this account. The transaction's scope
/// holds the tenant, and the transaction its row.
pub(super) async fn owners_remain(tx: &Tx, tenant: Uuid, without: Uuid) -> Result<bool, Error> {
    let remain = tx
        .scalar(
            "SELECT EXISTS (SELECT FROM identity.role r \
             JOIN identity.account_role ar ON ar.tenant_id = r.tenant_id AND ar.role_id = r.id \
             JOIN identity.account a ON a.tenant_id = ar.tenant_id AND a.id = ar.account_id \
             WHERE r.tenant_id = $1 AND r.builtin = $2 AND a.id <> $3 \
             AND a.deactivated_at IS NULL AND partywall.identity_is_live(a.user_id))",
            [tenant.into(), BuiltIn::Owner.name().into(), without.into()],
        )
        .await?;
    Ok(remain)
}

impl RequestAccount {
    /// Begins a change that needs a permission.
    pub(super) async fn change(&self, permission: &str) -> Result<Change<'_>, Error> {
        self.require(permission)?;
        let change = self.change_unchecked().await?;
        // It may have been taken away while the tenant's row was waited for.
        if change.held.has(permission) {
            Ok(change)
        } else {
            Err(Error::Forbidden(permission.to_owned()))
        }
    }

    /// Begins a change that whoever has an account may make.
    pub(super) async fn change_unchecked(&self) -> Result<Change<'_>, Error> {
        let tx = self.identity().begin(self.scope()).await?;
        tenant_lock(&tx, self.tenant().id).await?;
        self.hold(&tx)?;
        let held = self.held_today(&tx).await?;
        Ok(Change {
            account: self,
            tx,
            held,
        })
    }

    /// What the actor holds by now; never more than when the request began.
    async fn held_today(&self, tx: &Tx) -> Result<PermissionSet, Error> {
        let of_account = match self.id() {
            Some(account) => Some(
                self.identity()
                    .rights_of_account(tx, self.tenant().id, account)
                    .await?,
            ),
            None => None,
        };
        let of_key = match self.actor() {
            Actor::Key { key, .. } => {
                let is_good: bool = tx
                    .scalar(
                        "SELECT EXISTS (SELECT FROM identity.api_key WHERE id = $1 \
                         AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))",
                        [(*key).into()],
                    )
                    .await?;
                is_good.then_some(self.permissions())
            }
            Actor::Member { .. } | Actor::Staff { .. } => Some(self.permissions()),
        };
        Ok(match (of_account, of_key) {
            (_, None) => PermissionSet::default(),
            (None, Some(key)) => key.clone(),
            (Some(account), Some(key)) => account.intersection(key),
        })
    }
}

impl Change<'_> {
    /// The tenant.
    pub(super) fn tenant(&self) -> Uuid {
        self.account.tenant().id
    }

    /// Whether the application knows of a permission.
    pub(super) fn is_declared(&self, permission: &str) -> bool {
        self.account
            .identity()
            .permissions()
            .is_declared(permission)
    }

    /// Nobody grants what they do not hold, and nobody takes it from others either.
    pub(super) fn require_all(&self, wanted: &PermissionSet) -> Result<(), Error> {
        match self.held.lacks(wanted) {
            None => Ok(()),
            Some(missing) => Err(Error::GrantsMore(missing.to_owned())),
        }
    }

    /// What an account holds.
    pub(super) async fn rights_of(&self, account: Uuid) -> Result<PermissionSet, Error> {
        let identity = self.account.identity();
        identity
            .rights_of_account(&self.tx, self.tenant(), account)
            .await
    }

    /// What roles come to together, with all that they include.
    pub(super) async fn rights_of_roles(&self, roles: &[Uuid]) -> Result<PermissionSet, Error> {
        let identity = self.account.identity();
        identity.rights_of_roles(&self.tx, roles).await
    }

    /// Writes down what was done.
    pub(super) async fn audit(&self, entry: super::AuditEntry<'_>) -> Result<(), Error> {
        self.account.audit(&self.tx, entry).await
    }

    /// Makes it permanent, and tells whoever listens.
    pub(super) async fn commit(
        self,
        events: impl IntoIterator<Item = super::Event>,
    ) -> Result<(), Error> {
        self.tx.commit().await?;
        for event in events {
            self.account.identity().emit(event);
        }
        Ok(())
    }
}

impl Deref for Change<'_> {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}
