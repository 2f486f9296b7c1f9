use uuid::Uuid;

use super::{Error, JobActor, actor::Role};
use crate::{
    db::{Sql as _, Tx},
    identity::{BuiltIn, ErrorKind, Identity, USER, account_hold},
    scope::{Scope, TENANT},
};

/// Whether an actor may still do what a job of theirs does. The service needs no permission; everybody
/// else must have it at this moment, by an account, a key or a stay that is still good.
pub(super) async fn is_permitted(
    identity: &Identity,
    tenant: Uuid,
    actor: &JobActor,
    permission: &str,
) -> Result<bool, Error> {
    if actor.is_service() {
        return Ok(true);
    }
    let mut scope = vec![TENANT.is(tenant)];
    scope.extend(actor.user().map(|user| USER.is(user)));
    let tx = identity.begin(&Scope::trusted(scope)).await?;
    for person in actor.people() {
        let sql = "SELECT partywall.identity_is_live($1)";
        if !tx.scalar::<bool, _>(sql, [person.into()]).await? {
            return Ok(false);
        }
    }
    let is_good = match actor.role() {
        Role::Service | Role::Member { .. } => true,
        Role::Staff { entry } => {
            let sql = "SELECT EXISTS (SELECT FROM identity.staff_entry \
                       WHERE id = $1 AND ended_at IS NULL AND expires_at > now())";
            let viewer = identity.permissions().of(BuiltIn::Viewer);
            tx.scalar(sql, [entry.into()]).await? && viewer.has(permission)
        }
        Role::Key { key, .. } => {
            let sql = "SELECT EXISTS (SELECT FROM identity.api_key \
                       WHERE id = $1 AND revoked_at IS NULL \
                       AND (expires_at IS NULL OR expires_at > now()) AND $2 = ANY (permissions))";
            let is_declared = identity.permissions().is_declared(permission);
            tx.scalar(sql, [key.into(), permission.into()]).await? && is_declared
        }
    };
    let is_permitted = is_good
        && match actor.account() {
            Some(account) => account_has(identity, &tx, tenant, account, permission).await?,
            None => true,
        };
    tx.rollback().await?;
    Ok(is_permitted)
}

async fn account_has(
    identity: &Identity,
    tx: &Tx,
    tenant: Uuid,
    account: Uuid,
    permission: &str,
) -> Result<bool, Error> {
    // The hold rides with the statement that reads the rights.
    account_hold(tx, account)?;
    match identity.rights_of_account(tx, tenant, account).await {
        Ok(rights) => Ok(rights.has(permission)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}
