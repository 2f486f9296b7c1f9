//! Reads the catalogues. All looks are in the transaction that the caller began, with `pg_catalog` alone
//! in the search path, so that nothing somebody planted answers for them and every name comes qualified.

mod functions;
mod relations;
mod roles;
mod server;

use std::collections::BTreeMap;

use tokio_postgres::{Client, IsolationLevel, Row, Transaction, types::FromSqlOwned};

use self::{
    functions::{builtins, functions, operators},
    relations::relations,
    roles::{namespaces, roles},
    server::{
        default_acls, event_triggers, file_settings, foreign_servers, jobs, publications, server,
        settings,
    },
};
use super::{Catalogue, Grant, Oid, Privilege, Volatility};
use crate::{AuditError, expression::Node, sql::Name};

/// Begins the transaction that the catalogues are read in: one moment of the database, nothing written, and
/// `pg_catalog` alone in the search path. Dropping it rolls back.
///
/// # Errors
///
/// [`AuditError::Sql`].
pub(crate) async fn begin(client: &mut Client) -> Result<Transaction<'_>, AuditError> {
    let begun = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(AuditError::doing("begin"))?;
    begun
        .batch_execute("SET LOCAL search_path = pg_catalog")
        .await
        .map_err(AuditError::doing("begin"))?;
    Ok(begun)
}

/// Reads everything.
///
/// # Errors
///
/// [`AuditError::Version`] for a server that is too old or too new, [`AuditError::Sql`], and
/// [`AuditError::Catalogue`] for what is not understood.
pub(crate) async fn load(client: &Client) -> Result<Catalogue, AuditError> {
    let server = server(client).await?;
    if !(13..=18).contains(&server.major()) {
        return Err(AuditError::Version(server.version_text));
    }
    let roles = roles(client, server.major()).await?;
    let relations = relations(client).await?;
    let cron = relations
        .values()
        .find(|relation| relation.name == Name::new("cron", "job"));
    let jobs = match cron {
        Some(_) => jobs(client).await?,
        None => Vec::new(),
    };
    Ok(Catalogue {
        namespaces: namespaces(client).await?,
        functions: functions(client).await?,
        operators: operators(client).await?,
        builtins: builtins(client).await?,
        folding_collations: read(
            client,
            "SELECT oid FROM pg_collation WHERE NOT collisdeterministic",
            |row| cell(row, 0),
        )
        .await?
        .into_iter()
        .collect(),
        publications: publications(client, server.major()).await?,
        default_acls: default_acls(client).await?,
        settings: settings(client).await?,
        event_triggers: event_triggers(client).await?,
        foreign_servers: foreign_servers(client).await?,
        file_settings: file_settings(client).await?,
        server,
        roles,
        relations,
        jobs,
    })
}

fn cell<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T, AuditError> {
    row.try_get(at)
        .map_err(AuditError::doing("read the catalogues"))
}

async fn read<T>(
    client: &Client,
    sql: &str,
    make: impl FnMut(&Row) -> Result<T, AuditError>,
) -> Result<Vec<T>, AuditError> {
    let rows = client
        .query(sql, &[])
        .await
        .map_err(AuditError::doing("read the catalogues"))?;
    rows.iter().map(make).collect()
}

/// Reads rows of which the first column says what they belong to.
async fn grouped<T>(
    client: &Client,
    sql: &str,
    mut make: impl FnMut(&Row) -> Result<T, AuditError>,
) -> Result<BTreeMap<Oid, Vec<T>>, AuditError> {
    let mut groups: BTreeMap<Oid, Vec<T>> = BTreeMap::new();
    for (oid, it) in read(client, sql, |row| Ok((cell(row, 0)?, make(row)?))).await? {
        groups.entry(oid).or_default().push(it);
    }
    Ok(groups)
}

fn letter(row: &Row, at: usize) -> Result<char, AuditError> {
    Ok(cell::<String>(row, at)?.chars().next().unwrap_or(' '))
}

fn tree(what: &str, text: &str) -> Result<Node, AuditError> {
    Node::read(text).map_err(|error| AuditError::Catalogue {
        what: what.to_owned(),
        why: error.to_string(),
    })
}

fn grant(row: &Row, at: usize, column: Option<i16>) -> Result<Grant, AuditError> {
    Ok(Grant {
        grantee: cell(row, at)?,
        privilege: Privilege::named(&cell::<String>(row, at + 1)?),
        column,
    })
}

fn volatility(row: &Row, at: usize) -> Result<Volatility, AuditError> {
    Ok(match letter(row, at)? {
        'i' => Volatility::Immutable,
        's' => Volatility::Stable,
        _ => Volatility::Volatile,
    })
}
