use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, error::SqlState};

use super::{
    ApplyError, Schema,
    announce::LEFT_OVER,
    drift::{Drift, form},
    install::{VERSIONS, install, own_functions_sql, record},
    make::{create, grant_sequences, make, make_primary_key, names, remake},
    path,
    policies::Call,
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
    /// What had changed otherwise and is expected from now on: columns and keys of the application's
    /// own, and rights of roles that are not Partywall's.
    pub accepted: Vec<Drift>,
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
    /// PUBLIC loses all rights on the database, and CREATE on the schemas of the tables: whoever else
    /// works there needs grants of its own.
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
            .batch_execute(&format!(
                "BEGIN; SET LOCAL client_min_messages = warning; SET LOCAL row_security = on; {}",
                path::SAFE
            ))
            .await?;
        client
            .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
            .await?;
        let applied = self.bring_up(&client).await?;
        client.batch_execute("COMMIT").await?;
        Ok(applied)
    }

    /// Installs the first versions of Partywall's own schema and nothing else, as an earlier release
    /// would have, to show that later ones go on from there.
    ///
    /// # Errors
    ///
    /// [`ApplyError`].
    #[doc(hidden)]
    #[cfg(feature = "testing")]
    pub async fn install_versions(
        &self,
        owner_url: &str,
        versions: usize,
    ) -> Result<(), ApplyError> {
        let client = connect(owner_url, &Tls::default()).await?;
        client
            .batch_execute(&format!("BEGIN; {}", path::SAFE))
            .await?;
        install(&client, versions).await?;
        client.batch_execute("COMMIT").await?;
        Ok(())
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
        let known = known(client).await?;
        // What another release wrote down in another form cannot be compared.
        let comparable = known
            .as_deref()
            .is_some_and(|known| known.starts_with(&form()));
        let drift = if comparable {
            self.drift_seen_by(client).await?
        } else {
            Vec::new()
        };
        let installed = install(client, VERSIONS.len()).await?;
        let migrations = self.migrate(client).await?;
        let is_current = known == Some(self.fingerprint());
        if !installed && migrations.is_empty() && drift.is_empty() && is_current {
            return Ok(Applied::default());
        }
        for table in &self.tables {
            create(client, table).await?;
        }
        client.batch_execute(&own_functions_sql()).await?;
        client.batch_execute(&self.functions_sql()).await?;
        self.write_keys(client).await?;
        client
            .batch_execute(&self.database_sql(client).await?)
            .await?;
        for table in &self.tables {
            self.protect(client, table, &drift).await?;
        }
        for row in client.query(LEFT_OVER, &[]).await? {
            let function: String = row.try_get(0)?;
            client
                .batch_execute(&format!("DROP FUNCTION {function}"))
                .await?;
        }
        for table in &self.tables {
            make(client, table, &table.foreign_keys(), &drift).await?;
        }
        client.batch_execute(&self.routines_sql()).await?;
        client.batch_execute(&self.own_grants_sql()).await?;
        let (remaining, mended) = self.remaining(client, drift).await?;
        self.write_expectations(client).await?;
        let mut extra = self.drift_seen_by(client).await?;
        let (accepted, refused): (Vec<_>, Vec<_>) =
            remaining.into_iter().partition(Drift::may_stay);
        extra.extend(
            refused
                .into_iter()
                .filter(|refused| !extra.contains(refused))
                .collect::<Vec<_>>(),
        );
        if !extra.is_empty() {
            return Err(ApplyError::Undeclared(extra.into()));
        }
        Ok(Applied {
            changed: true,
            migrations,
            mended,
            accepted,
        })
    }

    /// The logins must exist; an owner that may create roles creates them, without passwords.
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

    /// Runs the application's migrations that have not run, each under the login's own search path.
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
            path::own(client).await?;
            client
                .batch_execute(migration.sql())
                .await
                .map_err(|source| ApplyError::Migration {
                    name: migration.name().to_owned(),
                    source,
                })?;
            path::safe(client).await?;
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

    async fn protect(
        &self,
        client: &Client,
        table: &Table,
        drift: &[Drift],
    ) -> Result<(), ApplyError> {
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
        let mut triggers = table.triggers();
        triggers.extend(table.announcers());
        remake(client, &existing, &triggers, |name| {
            format!("DROP TRIGGER {} ON {}", ident(name), table.name.sql())
        })
        .await?;
        make_primary_key(client, table, drift).await?;
        make(client, table, &table.keys(), drift).await?;
        client.batch_execute(&table.grants_sql(&self.roles)).await?;
        grant_sequences(client, table, &self.roles).await?;
        Ok(())
    }

    /// All statements for a new database, for reading and for review. For a partitioned table, which
    /// only the database knows to be one, [`apply`](Self::apply) writes policies that call their
    /// functions without a sub-select.
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
            let objects = objects.chain(table.triggers()).chain(table.announcers());
            let objects = objects.chain(table.keys());
            sql.extend(objects.map(|object| object.create));
            sql.push_str(&table.grants_sql(&self.roles));
        }
        for table in &self.tables {
            sql.extend(table.foreign_keys().into_iter().map(|key| key.create));
        }
        sql.push_str(&self.routines_sql());
        sql.push_str(&self.own_grants_sql());
        sql
    }

    /// Functions and indexes over the tables.
    fn routines_sql(&self) -> String {
        let app = ident(self.roles.app());
        let identity = ident(self.roles.identity().unwrap_or(self.roles.app()));
        self.routines
            .iter()
            .map(|sql| sql.replace("{app}", &app).replace("{identity}", &identity))
            .collect()
    }

    /// A hash of all that is declared, behind one of the form in which the catalogues are written
    /// down: when it is the one applied last, nothing is to be done.
    pub(crate) fn fingerprint(&self) -> String {
        let keys: Vec<&str> = self.seal.keys().iter().map(super::SealKey::id).collect();
        form() + &short_hash(&format!("{}\n{}", self.sql(), keys.join(",")))
    }
}

pub(super) async fn connect(url: &str, tls: &Tls) -> Result<Client, ApplyError> {
    let config = url.parse().map_err(ApplyError::Url)?;
    let connector = Connector::new(config, tls)?;
    connector.connect().await.map_err(ApplyError::Connect)
}

/// The fingerprint that was applied last, if any was.
async fn known(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let exists = client
        .query_one("SELECT to_regclass('partywall.applied') IS NOT NULL", &[])
        .await?
        .try_get::<_, bool>(0)?;
    if !exists {
        return Ok(None);
    }
    client
        .query_opt("SELECT declarations FROM partywall.applied", &[])
        .await?
        .map(|row| row.try_get(0))
        .transpose()
}
