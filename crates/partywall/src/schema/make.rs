//! Bringing single tables, and the keys, policies and triggers of each, to the declared state.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use super::{
    ApplyError, Roles,
    drift::Drift,
    object::Object,
    path,
    sql::{ident, short_hash},
    table::Table,
};

/// Creates a table, or adds the columns that it lacks.
pub(super) async fn create(client: &Client, table: &Table) -> Result<(), ApplyError> {
    for (name, create) in &table.enums {
        let exists = client
            .query_opt(
                "SELECT FROM pg_type WHERE typname = $1 AND typtype = 'e'",
                &[name],
            )
            .await?
            .is_some();
        if !exists {
            declare(client, create).await?;
        }
    }
    let name = table.name.sql();
    // IF NOT EXISTS asks for the right to create before it looks.
    let has_schema = client
        .query_opt(
            "SELECT FROM pg_namespace WHERE nspname = $1",
            &[&table.name.schema],
        )
        .await?
        .is_some();
    if !has_schema {
        client
            .batch_execute(&format!("CREATE SCHEMA {}", ident(&table.name.schema)))
            .await?;
    }
    let exists = client
        .query_one("SELECT to_regclass($1) IS NOT NULL", &[&name])
        .await?
        .try_get::<_, bool>(0)?;
    if !exists {
        return Ok(declare(client, &table.create_sql()).await?);
    }
    let add = table.columns.iter().map(|(column, definition)| {
        format!(
            "ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {} {definition};\n",
            ident(column)
        )
    });
    declare(client, &add.collect::<String>()).await?;
    let mut fill = false;
    for (owned, column) in table.copies() {
        client
            .batch_execute(&format!(
                "ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {} {}",
                ident(column),
                owned.sql_type
            ))
            .await?;
        fill = fill
            || client
                .query_one(
                    "SELECT NOT attnotnull FROM pg_attribute WHERE attrelid = $1::text::regclass AND attname = $2",
                    &[&name, &column],
                )
                .await?
                .try_get::<_, bool>(0)?;
    }
    if fill {
        client.batch_execute(&table.fill_sql()).await?;
    }
    Ok(())
}

/// Runs what names types and defaults as the application declares them.
async fn declare(client: &Client, sql: &str) -> Result<(), tokio_postgres::Error> {
    path::declared(client).await?;
    client.batch_execute(sql).await?;
    path::safe(client).await
}

pub(super) async fn names(
    client: &Client,
    table: &Table,
    query: &str,
) -> Result<BTreeSet<String>, tokio_postgres::Error> {
    let rows = client.query(query, &[&table.name.sql()]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Makes objects anew, whatever state they were in, and drops those that are no longer declared.
pub(super) async fn remake(
    client: &Client,
    existing: &BTreeSet<String>,
    wanted: &[Object],
    drop: impl Fn(&str) -> String,
) -> Result<(), tokio_postgres::Error> {
    for name in existing {
        client.batch_execute(&drop(name)).await?;
    }
    for object in wanted {
        client.batch_execute(&object.create).await?;
    }
    Ok(())
}

/// Gives a table its primary key where it has none, or where somebody has altered it. A table that
/// was there before Partywall keeps the one it has.
pub(super) async fn make_primary_key(
    client: &Client,
    table: &Table,
    drift: &[Drift],
) -> Result<(), ApplyError> {
    let key = table.primary_key();
    let has = client
        .query_opt(
            "SELECT ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (n, at) \
                          JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY at) \
             FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'p'",
            &[&table.name.sql()],
        )
        .await?
        .map(|row| row.try_get::<_, Vec<String>>(0))
        .transpose()?;
    let altered = drift.iter().any(|drift| drift.is_of_key(table, &key.name));
    if let Some(columns) = has.filter(|_| !altered) {
        // A table that was there keeps its key. What foreign keys point at is then one beside it.
        let (led, unique) = table.led_key();
        if columns != led {
            make(client, table, &[unique], drift).await?;
        }
        return Ok(());
    }
    client.batch_execute(&key.drop).await?;
    client.batch_execute(&key.create).await?;
    Ok(())
}

/// Makes keys and indexes that are missing, were made by another statement, or have been altered.
/// These are costly, and a key of the same name that Partywall did not make is taken as it is.
pub(super) async fn make(
    client: &Client,
    table: &Table,
    wanted: &[Object],
    drift: &[Drift],
) -> Result<(), ApplyError> {
    let existing = names(
        client,
        table,
        "SELECT conname::text FROM pg_constraint WHERE conrelid = $1::text::regclass \
         UNION SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         WHERE i.indrelid = $1::text::regclass",
    )
    .await?;
    let object = table.name.to_string();
    for key in wanted {
        let statement = short_hash(&key.create);
        let made = client
            .query_opt(
                "SELECT statement FROM partywall.made WHERE object = $1 AND name = $2",
                &[&object, &key.name],
            )
            .await?
            .map(|row| row.try_get::<_, String>(0))
            .transpose()?;
        let exists = existing.contains(&key.name);
        let altered = drift.iter().any(|drift| drift.is_of_key(table, &key.name));
        if exists && !altered && made.as_ref().is_none_or(|made| *made == statement) {
            continue;
        }
        if exists {
            client.batch_execute(&key.drop).await?;
        }
        client.batch_execute(&key.create).await?;
        client
            .execute(
                "INSERT INTO partywall.made (object, name, statement) VALUES ($1, $2, $3) \
                 ON CONFLICT (object, name) DO UPDATE SET statement = excluded.statement",
                &[&object, &key.name, &statement],
            )
            .await?;
    }
    Ok(())
}

/// Lets the logins count on with the sequences of `serial` columns, which a table that was there may
/// have. An identity needs no such right.
pub(super) async fn grant_sequences(
    client: &Client,
    table: &Table,
    roles: &Roles,
) -> Result<(), tokio_postgres::Error> {
    let sequences = names(
        client,
        table,
        "SELECT d.objid::regclass::text FROM pg_depend d \
         JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' \
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass \
           AND d.refobjid = $1::text::regclass AND d.deptype = 'a'",
    )
    .await?;
    for sequence in sequences {
        let grant = format!(
            "GRANT USAGE ON SEQUENCE {sequence} TO {}",
            table.writers(roles)
        );
        client.batch_execute(&grant).await?;
    }
    Ok(())
}
