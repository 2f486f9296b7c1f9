//! What is checked before a login may be used: that PostgreSQL will enforce against it.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio_postgres::{Client, types::Type};

use super::{ConnectError, lease::Lease, pool::Pool};
use crate::{
    schema::{Drift, Drifts, SAFE_PATH, Schema},
    value::Kinds,
};

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

/// How far the clocks of application and database may be apart, in seconds: half of a sealed
/// context's lifetime.
const CLOCK_SKEW: f64 = 30.0;

/// Makes sure that a login is the one the policies are for, and that they apply to it. The lease that it
/// answers with is in a transaction with the [safe path](SAFE_PATH), so that nothing that somebody
/// planted on the login's own answers for the catalogues.
///
/// # Errors
///
/// [`ConnectError::Unsafe`] and [`ConnectError::WrongLogin`].
pub(super) async fn check_login(
    pool: &Pool,
    schema: &Schema,
    wanted: &str,
) -> Result<Lease, ConnectError> {
    let mut lease = pool.acquire().await?;
    // All looks are in one transaction, for its search path; dropping the lease ends it.
    lease.open = true;
    let client = &lease.conn()?.client;
    client
        .batch_execute(&format!("BEGIN READ ONLY; {SAFE_PATH}"))
        .await?;
    let rights = unsafe_rights(client, schema).await?;
    if !rights.is_empty() {
        // Applying the schema takes most of these rights away, so it is the first thing to say.
        return Err(match applied(client).await? {
            Some(_) => ConnectError::Unsafe(rights.into()),
            None => ConnectError::NotApplied,
        });
    }
    if pool.login() != wanted {
        return Err(ConnectError::WrongLogin {
            login: pool.login().to_owned(),
            wanted: wanted.to_owned(),
        });
    }
    Ok(lease)
}

/// What was found out about a database.
pub(super) struct Inspected {
    pub(super) kinds: Kinds,
    pub(super) drift: Drifts,
    /// See [`Limits::types`](super::pool::Limits).
    pub(super) types: Option<Arc<str>>,
}

/// Looks at the database through the application login: whether it is safe, what has drifted, and
/// what the columns of the models are.
///
/// # Errors
///
/// [`ConnectError`].
pub(super) async fn inspect(pool: &Pool, schema: &Schema) -> Result<Inspected, ConnectError> {
    let mut lease = check_login(pool, schema, schema.roles().app()).await?;
    let client = &lease.conn()?.client;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let rows = client
        .query_typed(
            "SELECT extract(epoch FROM clock_timestamp())::float8 - $1",
            &[(&now.as_secs_f64(), Type::FLOAT8)],
        )
        .await?;
    let skew: f64 = rows.first().map_or(Ok(0.0), |row| row.try_get(0))?;
    if skew.abs() > CLOCK_SKEW {
        return Err(ConnectError::ClockSkew(skew));
    }
    Ok(Inspected {
        drift: drift(client, schema).await?.into(),
        kinds: kinds(client, schema).await?,
        types: types(client, schema).await?,
    })
}

/// Writes a query that has every type of the models' own, such as their enums, as a column.
async fn types(
    client: &Client,
    schema: &Schema,
) -> Result<Option<Arc<str>>, tokio_postgres::Error> {
    let tables: Vec<String> = schema.tables.iter().map(|table| table.name.sql()).collect();
    let rows = client
        .query_typed(
            "SELECT 'SELECT ' || string_agg(DISTINCT format('NULL::%I.%I', nspname, typname), ', ') \
             FROM unnest($1) AS name JOIN pg_attribute ON attrelid = to_regclass(name) \
             JOIN pg_type t ON t.oid = atttypid JOIN pg_namespace n ON n.oid = typnamespace \
             WHERE attnum > 0 AND nspname <> 'pg_catalog'",
            &[(&tables, Type::TEXT_ARRAY)],
        )
        .await?;
    let query: Option<String> = rows
        .first()
        .map(|row| row.try_get(0))
        .transpose()?
        .flatten();
    Ok(query.map(Arc::from))
}

/// Finds the declared columns in the catalogue.
async fn kinds(client: &Client, schema: &Schema) -> Result<Kinds, tokio_postgres::Error> {
    let mut kinds = Kinds::new();
    for table in &schema.tables {
        let rows = client
            .query_typed(
                "SELECT attrelid, attnum, attname::text FROM pg_attribute \
                 WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
                &[(&table.name.sql(), Type::TEXT)],
            )
            .await?;
        for row in rows {
            let (oid, number, name): (u32, i16, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            if let Some((_, kind)) = table.kinds.iter().find(|(known, _)| *known == name) {
                kinds.insert(oid, number, *kind);
            }
        }
    }
    Ok(kinds)
}

/// Lists the rights by which the current login could get around the policies.
async fn unsafe_rights(
    client: &Client,
    schema: &Schema,
) -> Result<Vec<Unsafe>, tokio_postgres::Error> {
    let (schemas, tables): (Vec<&str>, Vec<&str>) = schema
        .tables
        .iter()
        .map(|table| (table.name.schema.as_str(), table.name.table.as_str()))
        .unzip();
    let others = schema.roles().all();
    let rows = client
        .query_typed(
            RIGHTS,
            &[
                (&schemas, Type::TEXT_ARRAY),
                (&tables, Type::TEXT_ARRAY),
                (&&others[..], Type::TEXT_ARRAY),
            ],
        )
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
async fn drift(client: &Client, schema: &Schema) -> Result<Vec<Drift>, ConnectError> {
    if applied(client).await?.as_deref() != Some(&schema.fingerprint()) {
        return Err(ConnectError::NotApplied);
    }
    Ok(schema.drift_seen_by(client).await?)
}

/// The fingerprint of the schema that was applied last, if any was.
async fn applied(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    match client
        .query_typed("SELECT declarations FROM partywall.applied", &[])
        .await
    {
        Ok(rows) => rows.first().map(|row| row.try_get(0)).transpose(),
        Err(error) if error.as_db_error().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}
