//! Whose the accounts of a file are, here.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::FromQueryResult;
use serde_json::json;
use uuid::Uuid;

use super::{
    super::{BuiltIn, EmailAddress, Error},
    ImportError,
};
use crate::db::{Sql as _, Tx};

/// The built-in roles are there, once each and as they are everywhere; owners are accounts.
pub(super) async fn require_roles(tx: &Tx, tenant: Uuid) -> Result<(), ImportError> {
    let names: Vec<String> = BuiltIn::ALL
        .iter()
        .map(|role| role.name().to_owned())
        .collect();
    let is_good: bool = tx
        .scalar(
            "WITH built AS (SELECT * FROM identity.role WHERE tenant_id = $1 AND builtin IS NOT NULL) \
             SELECT (SELECT array_agg(b.builtin ORDER BY b.builtin) FROM built b \
                     WHERE b.name = b.builtin AND b.permissions = '{}') \
                    = (SELECT array_agg(n ORDER BY n) FROM unnest($2::text[]) AS n) \
               AND (SELECT count(*) FROM built) = cardinality($2::text[]) \
               AND NOT EXISTS (SELECT FROM identity.role_inclusion ri JOIN built b \
                 ON b.id = ri.role_id OR (b.id = ri.includes_id AND b.builtin = 'owner') \
                 WHERE ri.tenant_id = $1) \
               AND NOT EXISTS (SELECT FROM identity.group_role gr JOIN built b \
                 ON b.id = gr.role_id AND b.builtin = 'owner' WHERE gr.tenant_id = $1)",
            [tenant.into(), names.into()],
        )
        .await
        .map(|is_good: Option<bool>| is_good == Some(true))?;
    if is_good {
        Ok(())
    } else {
        Err(ImportError::Roles)
    }
}

#[derive(FromQueryResult)]
struct Account {
    id: Uuid,
    email: String,
}

#[derive(FromQueryResult)]
struct Person {
    email_key: String,
    user_id: Uuid,
}

/// Gives accounts to whoever has their address here, the oldest first. Tells which, and the addresses
/// of the others.
pub(super) async fn accounts_link(
    tx: &Tx,
    tenant: Uuid,
) -> Result<(Vec<Uuid>, Vec<String>), Error> {
    let accounts: Vec<Account> = tx
        .all(
            "SELECT id, email FROM identity.account \
             WHERE tenant_id = $1 AND removed_at IS NULL ORDER BY id",
            [tenant.into()],
        )
        .await?;
    let key = |email: &str| {
        EmailAddress::parse(email)
            .map(|email| email.key().to_owned())
            .ok()
    };
    let keys: Vec<String> = accounts.iter().filter_map(|one| key(&one.email)).collect();
    let people: Vec<Person> = tx
        .all(
            "SELECT email_key, user_id FROM identity.credential WHERE email_key = ANY ($1)",
            [keys.into()],
        )
        .await?;
    let people: BTreeMap<String, Uuid> = people
        .into_iter()
        .map(|person| (person.email_key, person.user_id))
        .collect();
    let (mut linked, mut unlinked, mut given) = (Vec::new(), Vec::new(), BTreeSet::new());
    for account in accounts {
        let person = key(&account.email).and_then(|key| people.get(&key));
        match person.filter(|person| given.insert(**person)) {
            Some(person) => {
                tx.execute_sql(
                    "UPDATE identity.account SET user_id = $3 WHERE tenant_id = $1 AND id = $2",
                    [tenant.into(), account.id.into(), (*person).into()],
                )
                .await?;
                linked.push(account.id);
            }
            None => unlinked.push(account.email),
        }
    }
    Ok((linked, unlinked))
}

/// Makes a person of this service an owner: the account that they have by the file, or a new one.
pub(super) async fn owner_add(tx: &Tx, tenant: Uuid, email: &str) -> Result<(), Error> {
    let email = EmailAddress::parse(email)?;
    let user: Option<Uuid> = tx
        .scalar(
            "SELECT (SELECT u.id FROM identity.credential c JOIN identity.\"user\" u ON u.id = c.user_id \
             WHERE c.email_key = $1 AND u.deactivated_at IS NULL)",
            [email.key().into()],
        )
        .await?;
    let user = user.ok_or_else(|| Error::invalid("owner", "nobody here has this address"))?;
    tx.execute_sql(
        "INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) \
         SELECT $2, $1, u.id, u.name, u.email, now() FROM identity.\"user\" u WHERE u.id = $3 \
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET deactivated_at = NULL",
        [tenant.into(), Uuid::now_v7().into(), user.into()],
    )
    .await?;
    tx.execute_sql(
        "INSERT INTO identity.account_role (tenant_id, account_id, role_id) \
         SELECT a.tenant_id, a.id, r.id FROM identity.account a \
         JOIN identity.role r ON r.tenant_id = a.tenant_id AND r.builtin = 'owner' \
         WHERE a.tenant_id = $1 AND a.user_id = $2 ON CONFLICT DO NOTHING",
        [tenant.into(), user.into()],
    )
    .await?;
    Ok(())
}

/// Whether somebody who can sign in owns the tenant.
pub(super) async fn has_owner(tx: &Tx, tenant: Uuid) -> Result<bool, Error> {
    let has = tx
        .scalar(
            "SELECT EXISTS (SELECT FROM identity.account a \
             JOIN identity.\"user\" u ON u.id = a.user_id AND u.deactivated_at IS NULL \
             JOIN identity.account_role ar ON ar.tenant_id = a.tenant_id AND ar.account_id = a.id \
             JOIN identity.role r ON r.tenant_id = ar.tenant_id AND r.id = ar.role_id \
             WHERE a.tenant_id = $1 AND a.deactivated_at IS NULL AND r.builtin = 'owner')",
            [tenant.into()],
        )
        .await?;
    Ok(has)
}

/// Writes down where the tenant's history comes from.
pub(super) async fn import_note(tx: &Tx, tenant: Uuid, from: &str) -> Result<(), Error> {
    tx.execute_sql(
        "INSERT INTO identity.audit (id, tenant_id, at, action, actor_name, target, detail) \
         VALUES ($1, $2, now(), 'tenant.imported', 'the service', $3, $4)",
        [
            Uuid::now_v7().into(),
            tenant.into(),
            tenant.to_string().into(),
            json!({"from": from}).into(),
        ],
    )
    .await?;
    Ok(())
}
