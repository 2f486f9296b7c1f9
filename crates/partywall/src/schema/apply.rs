use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, error::SqlState};

use super::{
    ApplyError, Schema,
    drift::Drift,
    install::VERSIONS,
    migration::Migration,
    protect::{Call, Object},
    sql::{ident, short_hash},
    table::Table,
};
use crate::connect::{Connector, Tls};

/// What [`Schema::apply`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Whether anything was changed. A database that is as declared is only read.
    pub changed: bool,
    /// The application's migrations that ran.
    pub migrations: Vec<String>,
    /// What had drifted and was put right.
    pub mended: Vec<Drift>,
}

/// Held for the whole of [`Schema::apply`]: two instances that start at once take turns.
const LOCK: i64 = 0x7061_7274_7977_616c; // "partywal"

impl Schema {
    /// Brings a database to the declared state, as the owner of its tables.
    ///
    /// Everything happens in one transaction under a lock, so it can run in every instance at every
    /// start: one of several does the work and the others find it done. Tables that are missing are
    /// created; columns that a model has gained are added; policies, grants and functions are put
    /// right where they differ.
    ///
    /// The login owns the tables and is for this alone: the application must not run under it.
    ///
    /// # Errors
    ///
    /// [`ApplyError`]; the database is then as it was.
    pub async fn apply(&self, owner_url: &str) -> Result<Applied, ApplyError> {
        self.apply_with(owner_url, &Tls::default()).await
    }

    /// Like [`apply`](Self::apply), with TLS of one's own.
    ///
    /// # Errors
    ///
    /// [`ApplyError`].
    pub async fn apply_with(&self, owner_url: &str, tls: &Tls) -> Result<Applied, ApplyError> {
        let client = connect(owner_url, tls).await?;
        client
            .batch_execute("BEGIN; SET LOCAL client_min_messages = warning")
            .await?;
        client
            .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
            .await?;
        let applied = self.bring_up(&client).await?;
        client.batch_execute("COMMIT").await?;
        Ok(applied)
    }

    async fn bring_up(&self, client: &Client) -> Result<Applied, ApplyError> {
        let version: String = client
            .query_one("SELECT current_setting('server_version_num')", &[])
            .await?
            .try_get(0)?;
        if version.parse::<u32>().unwrap_or_default() < 140_000 {
            return Err(ApplyError::ServerTooOld(version));
        }
        self.ensure_roles(client).await?;
        let mut changed = install(client).await?;
        let known = client
            .query_opt("SELECT declarations FROM partywall.applied", &[])
            .await?
            .map(|row| row.try_get::<_, String>(0))
            .transpose()?;
        let migrations = self.migrate(client).await?;
        let mended = match known {
            Some(_) => self.drift_seen_by(client).await?,
            None => Vec::new(),
        };
        if !changed
            && migrations.is_empty()
            && mended.is_empty()
            && known == Some(self.fingerprint())
        {
            return Ok(Applied::default());
        }
        changed = true;
        for table in &self.tables {
            create(client, table).await?;
        }
        client.batch_execute(&self.functions_sql()).await?;
        client.batch_execute(&self.keys_sql()).await?;
        client
            .batch_execute(&self.database_sql(client).await?)
            .await?;
        for table in &self.tables {
            self.protect(client, table).await?;
        }
        for table in &self.tables {
            make(client, table, &table.foreign_keys()).await?;
        }
        client.batch_execute(&self.own_grants_sql()).await?;
        self.write_expectations(client).await?;
        let extra = self.drift_seen_by(client).await?;
        if !extra.is_empty() {
            return Err(ApplyError::Undeclared(extra.into()));
        }
        Ok(Applied {
            changed,
            migrations,
            mended,
        })
    }

    /// The three logins must exist; an owner that may create roles creates them, without passwords.
    async fn ensure_roles(&self, client: &Client) -> Result<(), ApplyError> {
        for role in self.roles.all() {
            let exists = client
                .query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role])
                .await?
                .is_some();
            if exists {
                continue;
            }
            client.batch_execute("SAVEPOINT role").await?;
            if let Err(error) = client
                .batch_execute(&super::bootstrap::create_role(role))
                .await
            {
                if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
                    return Err(ApplyError::RoleMissing(role.to_owned()));
                }
                if error.code() != Some(&SqlState::DUPLICATE_OBJECT)
                    && error.code() != Some(&SqlState::UNIQUE_VIOLATION)
                {
                    return Err(error.into());
                }
                client.batch_execute("ROLLBACK TO SAVEPOINT role").await?;
            }
        }
        Ok(())
    }

    /// Runs the application's migrations that have not run.
    async fn migrate(&self, client: &Client) -> Result<Vec<String>, ApplyError> {
        let done: BTreeMap<String, String> = client
            .query(
                "SELECT name, checksum FROM partywall.migration WHERE version IS NULL",
                &[],
            )
            .await?
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_, tokio_postgres::Error>>()?;
        let mut ran = Vec::new();
        for migration in &self.migrations {
            match done.get(migration.name()) {
                Some(checksum) if *checksum == migration.checksum() => continue,
                Some(_) => return Err(ApplyError::MigrationChanged(migration.name().to_owned())),
                None => {}
            }
            client
                .batch_execute(migration.sql())
                .await
                .map_err(|source| ApplyError::Migration {
                    name: migration.name().to_owned(),
                    source,
                })?;
            record(client, None, migration).await?;
            ran.push(migration.name().to_owned());
        }
        Ok(ran)
    }

    /// What the logins may do with the database and its schemas, as far as the owner decides it.
    async fn database_sql(&self, client: &Client) -> Result<String, ApplyError> {
        let roles = self.roles.quoted();
        let database: String = client
            .query_one("SELECT current_database()::text", &[])
            .await?
            .try_get(0)?;
        let mut sql = format!(
            "REVOKE ALL ON DATABASE {database} FROM PUBLIC, {roles};\n\
             GRANT CONNECT ON DATABASE {database} TO {roles};\n",
            database = ident(&database)
        );
        let schemas: BTreeSet<&str> = self
            .tables
            .iter()
            .map(|table| table.name.schema.as_str())
            .collect();
        for schema in schemas {
            sql.push_str(&format!(
                "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {roles};\n\
                 GRANT USAGE ON SCHEMA {schema} TO {roles};\n",
                schema = ident(schema)
            ));
        }
        Ok(sql)
    }

    async fn protect(&self, client: &Client, table: &Table) -> Result<(), ApplyError> {
        let partitioned = client
            .query_one(
                "SELECT relkind = 'p' FROM pg_class WHERE oid = $1::text::regclass",
                &[&table.name.sql()],
            )
            .await?
            .try_get(0)?;
        let call = if partitioned { Call::Plain } else { Call::Once };
        client.batch_execute(&table.columns_sql()).await?;
        client.batch_execute(&table.enable_sql()).await?;
        let existing = names(client, table, "SELECT polname::text FROM pg_policy WHERE polrelid = $1::text::regclass AND polname LIKE 'partywall\\_%'").await?;
        remake(
            client,
            &existing,
            &table.policies(&self.roles, call),
            |name| format!("DROP POLICY {} ON {}", ident(name), table.name.sql()),
        )
        .await?;
        let existing = names(client, table, "SELECT tgname::text FROM pg_trigger WHERE tgrelid = $1::text::regclass AND tgname LIKE 'partywall\\_%'").await?;
        remake(client, &existing, &table.triggers(), |name| {
            format!("DROP TRIGGER {} ON {}", ident(name), table.name.sql())
        })
        .await?;
        make(client, table, &table.keys()).await?;
        client.batch_execute(&table.grants_sql(&self.roles)).await?;
        Ok(())
    }

    /// All statements for a new database, for reading and for review.
    #[must_use]
    pub fn sql(&self) -> String {
        let mut sql = String::from("CREATE SCHEMA partywall;\n");
        sql.extend(VERSIONS.iter().map(|(_, _, text)| *text));
        sql.extend(
            self.migrations
                .iter()
                .map(|migration| format!("{}\n", migration.sql())),
        );
        for table in &self.tables {
            sql.extend(table.enums.iter().map(|(_, create)| format!("{create};\n")));
            sql.push_str(&table.create_sql());
        }
        sql.push_str(&self.functions_sql());
        for table in &self.tables {
            sql.push_str(&table.columns_sql());
            sql.push_str(&table.enable_sql());
            let objects = table.policies(&self.roles, Call::Once).into_iter();
            let objects = objects.chain(table.triggers()).chain(table.keys());
            sql.extend(objects.map(|object| object.create));
            sql.push_str(&table.grants_sql(&self.roles));
        }
        for table in &self.tables {
            sql.extend(table.foreign_keys().into_iter().map(|key| key.create));
        }
        sql.push_str(&self.own_grants_sql());
        sql
    }

    /// A hash of all that is declared: when it is the one applied last, nothing is to be done.
    pub(crate) fn fingerprint(&self) -> String {
        let keys: Vec<&str> = self.seal.keys().iter().map(super::SealKey::id).collect();
        short_hash(&format!("{}\n{}", self.sql(), keys.join(",")))
    }
}

pub(super) async fn connect(url: &str, tls: &Tls) -> Result<Client, ApplyError> {
    let config = url.parse().map_err(ApplyError::Url)?;
    let connector = Connector::new(config, tls)?;
    connector.connect().await.map_err(ApplyError::Connect)
}

/// Installs the versions that are missing. Tells whether there were any.
async fn install(client: &Client) -> Result<bool, ApplyError> {
    let new = client
        .query_one("SELECT to_regclass('partywall.migration') IS NULL", &[])
        .await?
        .try_get::<_, bool>(0)?;
    if new {
        client
            .batch_execute(
                "CREATE SCHEMA IF NOT EXISTS partywall;\n\
                 CREATE TABLE partywall.migration (\n  name text PRIMARY KEY,\n  version integer UNIQUE,\n  \
                 checksum text NOT NULL,\n  at timestamptz NOT NULL DEFAULT now()\n)",
            )
            .await?;
    }
    let installed: BTreeSet<i32> = client
        .query(
            "SELECT version FROM partywall.migration WHERE version IS NOT NULL",
            &[],
        )
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    if let Some(newer) = installed
        .iter()
        .find(|v| VERSIONS.iter().all(|(known, ..)| known != *v))
    {
        return Err(ApplyError::Newer(*newer));
    }
    let mut changed = new;
    for (version, name, sql) in VERSIONS {
        if installed.contains(&version) {
            continue;
        }
        client.batch_execute(sql).await?;
        let migration = Migration::new(format!("partywall {version}: {name}"), sql.to_owned());
        record(client, Some(version), &migration).await?;
        changed = true;
    }
    Ok(changed)
}

async fn record(
    client: &Client,
    version: Option<i32>,
    migration: &Migration,
) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            "INSERT INTO partywall.migration (name, version, checksum) VALUES ($1, $2, $3)",
            &[&migration.name(), &version, &migration.checksum()],
        )
        .await
        .map(drop)
}

/// Creates a table, or adds the columns that it lacks.
async fn create(client: &Client, table: &Table) -> Result<(), ApplyError> {
    for (name, create) in &table.enums {
        let exists = client
            .query_opt(
                "SELECT FROM pg_type WHERE typname = $1 AND typtype = 'e'",
                &[name],
            )
            .await?
            .is_some();
        if !exists {
            client.batch_execute(create).await?;
        }
    }
    let name = table.name.sql();
    client
        .batch_execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS {}",
            ident(&table.name.schema)
        ))
        .await
        .or_else(|error| match error.code() {
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Ok(()),
            _ => Err(error),
        })?;
    let exists = client
        .query_one("SELECT to_regclass($1) IS NOT NULL", &[&name])
        .await?
        .try_get::<_, bool>(0)?;
    if !exists {
        client.batch_execute(&table.create_sql()).await?;
        return Ok(());
    }
    for (column, definition) in &table.columns {
        client
            .batch_execute(&format!(
                "ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {} {definition}",
                ident(column)
            ))
            .await?;
    }
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

async fn names(
    client: &Client,
    table: &Table,
    query: &str,
) -> Result<BTreeSet<String>, tokio_postgres::Error> {
    let rows = client.query(query, &[&table.name.sql()]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Makes objects anew, whatever state they were in, and drops those that are no longer declared.
async fn remake(
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

/// Makes keys and indexes that are missing or were made by another statement. These are costly, and
/// a key of the same name that Partywall did not make is taken as it is.
async fn make(client: &Client, table: &Table, wanted: &[Object]) -> Result<(), ApplyError> {
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
        if exists && made.as_ref().is_none_or(|made| *made == statement) {
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
