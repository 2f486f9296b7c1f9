//! What is checked before a login may be used: that PostgreSQL will enforce against it.

use tokio_postgres::Client;

use super::ConnectError;
use crate::schema::{Drift, Schema};

/// A right that the application login has and must not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: run `{fix}` as a superuser")]
pub struct Unsafe {
    what: String,
    fix: String,
}

impl Unsafe {
    /// What is wrong.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The SQL that mends it.
    #[must_use]
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

const RIGHTS: &str = include_str!("rights.sql");

/// Lists the rights by which the current login could get around the policies.
pub(super) async fn unsafe_rights(
    client: &Client,
    schema: &Schema,
) -> Result<Vec<Unsafe>, tokio_postgres::Error> {
    let (schemas, tables): (Vec<&str>, Vec<&str>) = schema
        .tables
        .iter()
        .map(|table| (table.name.schema.as_str(), table.name.table.as_str()))
        .unzip();
    let roles = schema.roles();
    let others = [roles.app(), roles.list(), roles.across()];
    let rows = client
        .query(RIGHTS, &[&schemas, &tables, &&others[..]])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Unsafe {
                what: row.try_get(0)?,
                fix: row.try_get(1)?,
            })
        })
        .collect()
}

/// Compares the database with what was applied.
///
/// # Errors
///
/// [`ConnectError::NotApplied`] when this version of the schema never was.
pub(super) async fn drift(client: &Client, schema: &Schema) -> Result<Vec<Drift>, ConnectError> {
    let applied: Option<String> = match client
        .query_opt("SELECT declarations FROM partywall.applied", &[])
        .await
    {
        Ok(row) => row.map(|row| row.try_get(0)).transpose()?,
        Err(error) if error.as_db_error().is_some() => None,
        Err(error) => return Err(error.into()),
    };
    if applied.as_deref() != Some(&schema.fingerprint()) {
        return Err(ConnectError::NotApplied);
    }
    client.batch_execute("BEGIN").await?;
    let drift = schema.drift_seen_by(client).await;
    client.batch_execute("ROLLBACK").await?;
    Ok(drift?)
}
