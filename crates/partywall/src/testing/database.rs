use std::{
    collections::HashSet,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::Mutex;

use super::server::{admin, server};
use crate::{
    db::{Config, ConfigError, ConnectError, Db, ScopedDb},
    schema::{ApplyError, Passwords, Schema},
    scope::{Dimension, DimensionValue, Scope},
};

/// A database of a test's own, cloned from one to which the schema was applied.
#[derive(Debug)]
pub struct TestDb {
    db: Db,
    schema: Schema,
    name: String,
}

/// Why there is no test database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// PostgreSQL did not start.
    #[error(transparent)]
    Server(#[from] partywall_embedded::Error),
    /// PostgreSQL refused a statement.
    #[error("the test database could not be made")]
    Sql(#[from] tokio_postgres::Error),
    /// The schema could not be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The wall refused the database.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The configuration was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A background task failed.
    #[error("a task failed: {0}")]
    Task(String),
}

const OWNER: &str = "partywall_test_owner";
const PASSWORD: &str = "partywall-test";

/// Fingerprints of the schemas that have a template.
static TEMPLATES: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

impl TestDb {
    /// Makes a database with the schema applied, and connects to it.
    ///
    /// The first call of a process starts PostgreSQL, the first with a schema applies it; every
    /// other takes some tens of milliseconds.
    ///
    /// # Errors
    ///
    /// [`TestError`].
    pub async fn new(schema: &Schema) -> Result<Self, TestError> {
        Self::with(schema, |config| config).await
    }

    /// Like [`new`](Self::new), with a configuration of one's own.
    ///
    /// # Errors
    ///
    /// [`TestError`].
    pub async fn with(
        schema: &Schema,
        configure: impl FnOnce(Config) -> Config,
    ) -> Result<Self, TestError> {
        let name = Self::clone_template(schema).await?;
        let config = configure(Self::config_of(schema, &name)?);
        let db = Db::connect(config).await?;
        Ok(Self {
            db,
            schema: schema.clone(),
            name,
        })
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The schema that was applied.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// One tenant's view. In a test nobody checks a membership.
    #[must_use]
    pub fn as_tenant<T: DimensionValue>(&self, tenant: T) -> ScopedDb {
        self.db
            .scoped(&Scope::trusted([Dimension::<T>::new("tenant").is(tenant)]))
    }

    /// The view of any scope.
    #[must_use]
    pub fn as_scope(&self, scope: &Scope) -> ScopedDb {
        self.db.scoped(scope)
    }

    /// A configuration for another connection to this database.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn config(&self) -> Result<Config, ConfigError> {
        Self::config_of(&self.schema, &self.name)
    }

    /// Connects once more, with all the checks that connecting makes.
    ///
    /// # Errors
    ///
    /// [`TestError`].
    pub async fn reconnected(&self) -> Result<Db, TestError> {
        self.connected_as(&self.schema).await
    }

    /// Connects with another schema than the one that made this database.
    ///
    /// # Errors
    ///
    /// [`TestError`].
    pub async fn connected_as(&self, schema: &Schema) -> Result<Db, TestError> {
        Ok(Db::connect(Self::config_of(schema, &self.name)?).await?)
    }

    /// The connection string of one of the schema's logins.
    #[must_use]
    pub fn url(&self, login: &str) -> String {
        server()
            .map(|server| server.url(login, PASSWORD, &self.name))
            .unwrap_or_default()
    }

    /// The connection string of the tables' owner, who is no superuser.
    #[must_use]
    pub fn owner_url(&self) -> String {
        self.url(OWNER)
    }

    /// The connection string of the superuser.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        server()
            .map(|server| server.superuser_url(&self.name))
            .unwrap_or_default()
    }

    /// Runs SQL as the superuser: to damage the wall and see that it shows.
    ///
    /// # Errors
    ///
    /// [`TestError::Sql`].
    pub async fn as_superuser(&self, sql: &str) -> Result<(), TestError> {
        admin(&self.name, sql).await
    }

    fn config_of(schema: &Schema, name: &str) -> Result<Config, ConfigError> {
        let url = |login: &str| {
            server()
                .map(|server| server.url(login, PASSWORD, name))
                .unwrap_or_default()
        };
        let roles = schema.roles();
        let config = Config::new(schema, &url(roles.app()))?
            .list_login(&url(roles.list()))?
            .across_login(&url(roles.across()))?;
        match roles.identity() {
            Some(login) => config.identity_login(&url(login)),
            None => Ok(config),
        }
    }

    /// Makes the template if there is none, and clones it.
    async fn clone_template(schema: &Schema) -> Result<String, TestError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let template = format!("template_{}", schema.fingerprint());
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        {
            // One at a time: PostgreSQL refuses to clone a database that is being cloned from or
            // that has connections, and creating roles twice at once is an error.
            let mut made = TEMPLATES.lock().await;
            if !made.contains(&template) {
                Self::make_template(schema, &template).await?;
                made.insert(template.clone());
            }
            let create = format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}");
            admin("postgres", &create).await?;
        }
        // A clone has the template's content, but not its grants on the database itself.
        let mut grants = format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC;");
        for role in schema.roles().all() {
            grants.push_str(&format!("GRANT CONNECT ON DATABASE {name} TO \"{role}\";"));
        }
        admin("postgres", &grants).await?;
        Ok(name)
    }

    async fn make_template(schema: &Schema, template: &str) -> Result<(), TestError> {
        tokio::task::spawn_blocking(server)
            .await
            .map_err(|error| TestError::Task(error.to_string()))??;
        let owner = format!(
            "DO $$ BEGIN CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'; \
             EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        );
        admin("postgres", &owner).await?;
        admin("postgres", &format!("DROP DATABASE IF EXISTS {template}")).await?;
        admin(
            "postgres",
            &format!("CREATE DATABASE {template} OWNER {OWNER}"),
        )
        .await?;
        let password = || PASSWORD.to_owned();
        let passwords = Passwords {
            app: password(),
            list: password(),
            across: password(),
            identity: password(),
        };
        schema
            .bootstrap(&server()?.superuser_url(template), &passwords)
            .await?;
        schema
            .apply(&server()?.url(OWNER, PASSWORD, template))
            .await?;
        Ok(())
    }
}
