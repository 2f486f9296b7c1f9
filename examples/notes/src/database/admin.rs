use tokio_postgres::{Client, NoTls};

use super::OpenError;

/// What takes a superuser: the database itself, and the login that owns its tables.
pub(super) struct Admin {
    client: Client,
    database: String,
}

/// Tables in this database that are neither the owner's nor part of an extension.
const FOREIGN_TABLES: &str = "
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%'
  AND n.nspname <> 'information_schema' AND c.relowner <> $1::text::regrole
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
                  AND objid = c.oid AND deptype = 'e')";

impl Admin {
    pub(super) async fn connect(url: &str) -> Result<Self, OpenError> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(async {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the administrator's connection ended");
            }
        });
        let row = client
            .query_one("SELECT current_database()::text", &[])
            .await?;
        Ok(Self {
            database: row.try_get(0)?,
            client,
        })
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    pub(super) async fn create(&self, database: &str) -> Result<(), OpenError> {
        let exists = "SELECT FROM pg_database WHERE datname = $1";
        if self.client.query_opt(exists, &[&database]).await?.is_none() {
            self.client
                .batch_execute(&format!("CREATE DATABASE \"{database}\""))
                .await?;
        }
        Ok(())
    }

    /// Makes the login that owns the tables the owner of the database, and tells its name.
    pub(super) async fn take_over(&self) -> Result<String, OpenError> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.database.len() > 50 || !self.database.chars().all(fits) {
            return Err(OpenError::Name(self.database.clone()));
        }
        let owner = format!("{}_owner", self.database);
        let exists = "SELECT FROM pg_roles WHERE rolname = $1";
        if self.client.query_opt(exists, &[&owner]).await?.is_none() {
            self.client
                .batch_execute(&format!("CREATE ROLE \"{owner}\" LOGIN"))
                .await?;
        }
        let foreign: i64 = self
            .client
            .query_one(FOREIGN_TABLES, &[&owner])
            .await?
            .try_get(0)?;
        if foreign > 0 {
            return Err(OpenError::Shared(self.database.clone()));
        }
        let sql = format!("ALTER DATABASE \"{}\" OWNER TO \"{owner}\"", self.database);
        self.client.batch_execute(&sql).await?;
        Ok(owner)
    }

    pub(super) async fn set_password(&self, login: &str, password: &str) -> Result<(), OpenError> {
        let sql = format!("ALTER ROLE \"{login}\" PASSWORD '{password}'");
        Ok(self.client.batch_execute(&sql).await?)
    }

    /// Whether the tables are those of the example's own sign-in, which came before the library's.
    pub(super) async fn is_outdated(&self) -> Result<bool, OpenError> {
        let sql = "SELECT to_regclass('public.membership') IS NOT NULL";
        Ok(self.client.query_one(sql, &[]).await?.try_get(0)?)
    }

    /// Drops what the owner has in this database, which is all of the example's and nothing else.
    pub(super) async fn remove_everything(&self, owner: &str) -> Result<(), OpenError> {
        let sql = format!("DROP OWNED BY \"{owner}\" CASCADE");
        Ok(self.client.batch_execute(&sql).await?)
    }
}
