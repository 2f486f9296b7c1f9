use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use tokio_postgres::Config as Login;

use super::{Metrics, pool::Limits};
use crate::{connect::Tls, schema::Schema};

/// How to reach the database, and within which limits.
///
/// ```no_run
/// # async fn connect(schema: &partywall::Schema) -> Result<(), Box<dyn std::error::Error>> {
/// use partywall::{Config, Db};
///
/// let config = Config::new(schema, "postgres://notes_app:…@db/notes")?
///     .list_login("postgres://notes_list:…@db/notes")?
///     .across_login("postgres://notes_across:…@db/notes")?
///     .pool_size(16);
/// let db = Db::connect(config).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) schema: Arc<Schema>,
    pub(super) app: Login,
    pub(super) list: Option<Login>,
    pub(super) across: Option<Login>,
    pub(super) identity: Option<Login>,
    pub(super) listen: Option<Login>,
    pub(super) tls: Tls,
    pub(super) limits: Limits,
    pub(super) metrics: Option<Arc<dyn Metrics>>,
    pub(super) drift: OnDrift,
    pub(super) audited: bool,
}

/// What to do when the database is found altered at start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDrift {
    /// Refuse to connect, listing what differs.
    #[default]
    Refuse,
    /// Connect, and write what differs to the log as warnings.
    Warn,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The connection string cannot be read. It is not repeated here, since it may hold a password.
    #[error("the connection string of the {login} login cannot be read")]
    Url {
        /// Which login.
        login: &'static str,
        /// Why.
        source: tokio_postgres::Error,
    },
    /// An environment variable is missing.
    #[error("the environment variable `{0}` is not set")]
    Missing(&'static str),
}

impl Config {
    /// Begins with the application login and the defaults: 16 connections, 5 s to get one, 5 s to
    /// open one with 5 attempts, 30 s for a statement, 256 prepared statements per connection.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Url`].
    pub fn new(schema: &Schema, app_url: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            schema: Arc::new(schema.clone()),
            app: login("application", app_url)?,
            list: None,
            across: None,
            identity: None,
            listen: None,
            tls: Tls::default(),
            limits: Limits {
                size: 16,
                acquire: Duration::from_secs(5),
                connect: Duration::from_secs(5),
                connect_attempts: 5,
                statement: Some(Duration::from_secs(30)),
                cached_statements: const { NonZeroUsize::new(256).unwrap() },
                named_statements: true,
                enters: true,
                types: None,
                single_use: false,
            },
            metrics: None,
            drift: OnDrift::default(),
            audited: false,
        })
    }

    /// Reads `DATABASE_URL` and, where set, `PARTYWALL_LIST_URL`, `PARTYWALL_ACROSS_URL`,
    /// `PARTYWALL_IDENTITY_URL` and `PARTYWALL_LISTEN_URL`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn from_env(schema: &Schema) -> Result<Self, ConfigError> {
        let read = |name| std::env::var(name).ok();
        let app = read("DATABASE_URL").ok_or(ConfigError::Missing("DATABASE_URL"))?;
        let mut config = Self::new(schema, &app)?;
        if let Some(url) = read("PARTYWALL_LIST_URL") {
            config = config.list_login(&url)?;
        }
        if let Some(url) = read("PARTYWALL_ACROSS_URL") {
            config = config.across_login(&url)?;
        }
        if let Some(url) = read("PARTYWALL_IDENTITY_URL") {
            config = config.identity_login(&url)?;
        }
        if let Some(url) = read("PARTYWALL_LISTEN_URL") {
            config = config.listen_url(&url)?;
        }
        Ok(config)
    }

    /// The login for scopes that hold a list. Its connections are opened on first use.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Url`].
    pub fn list_login(mut self, url: &str) -> Result<Self, ConfigError> {
        self.list = Some(login("list", url)?);
        Ok(self)
    }

    /// The login for the way across. Its connections are opened on first use.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Url`].
    pub fn across_login(mut self, url: &str) -> Result<Self, ConfigError> {
        self.across = Some(login("across", url)?);
        Ok(self)
    }

    /// The login for users, accounts and sessions. Its connections are opened on first use.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Url`].
    pub fn identity_login(mut self, url: &str) -> Result<Self, ConfigError> {
        self.identity = Some(login("identity", url)?);
        Ok(self)
    }

    /// Where [changes](crate::Db::changes) are listened for, on one connection of the process that is
    /// opened on first use. By default that is the identity login's or, in a schema without accounts,
    /// the login's for the way across; it has to be the same login here.
    ///
    /// Needed where that connection string leads to PgBouncer or another pooler in transaction mode,
    /// which passes no notifications on: name the server itself, and the primary where there are several.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Url`].
    pub fn listen_url(mut self, url: &str) -> Result<Self, ConfigError> {
        self.listen = Some(login("listening", url)?);
        Ok(self)
    }

    /// The login that listens.
    pub(super) fn listener(&self) -> Option<Login> {
        let default = match self.schema.roles().identity() {
            Some(_) => &self.identity,
            None => &self.across,
        };
        self.listen.as_ref().or(default.as_ref()).cloned()
    }

    /// How the server proves who it is.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Connections per login, at least one.
    #[must_use]
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.limits.size = connections.max(1);
        self
    }

    /// How long to wait for a free connection.
    #[must_use]
    pub fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.limits.acquire = limit;
        self
    }

    /// How long one attempt to open a connection may take.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.limits.connect = limit;
        self
    }

    /// How often to try to open a connection, at least once. The pause between attempts starts at
    /// 50 ms and doubles. Only what may pass is tried again: a wrong password is not.
    #[must_use]
    pub fn connect_attempts(mut self, attempts: u32) -> Self {
        self.limits.connect_attempts = attempts.max(1);
        self
    }

    /// How long a statement may run before the server stops it; `None` for as long as it likes. A
    /// stream and a `COPY` run until their last row is read, so how fast they are read counts.
    #[must_use]
    pub fn statement_timeout(mut self, limit: Option<Duration>) -> Self {
        self.limits.statement = limit;
        self
    }

    /// Prepared statements kept per connection, at least one. The least recently used goes first.
    #[must_use]
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.limits.cached_statements = NonZeroUsize::new(statements).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// Sends statements without names and prepares nothing: for PgBouncer and other poolers in
    /// transaction mode, of any version. This is how Partywall is tested behind one.
    ///
    /// With names PgBouncer has to be 1.21 or newer with `max_prepared_statements` above zero, which is
    /// not tested; SECURITY.md says what is weaker there.
    #[must_use]
    pub fn unnamed_statements(mut self) -> Self {
        self.limits.named_statements = false;
        self
    }

    /// Closes each connection after one use. For statements that strangers write: whatever they leave on
    /// a session, nobody meets it.
    #[must_use]
    pub fn single_use(mut self) -> Self {
        self.limits.single_use = true;
        self
    }

    /// Where events go.
    #[must_use]
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.metrics = Some(Arc::new(metrics));
        self
    }

    /// What to do when the database is found altered at start.
    #[must_use]
    pub fn on_drift(mut self, drift: OnDrift) -> Self {
        self.drift = drift;
        self
    }

    /// Audits the database when connecting, as `partywall check` does with the application's login, and
    /// refuses one in which a tenant can reach another's rows. What is less than that goes to the log as a
    /// warning.
    ///
    /// The look for drift, which is always made, tells what differs from the schema that was applied; this
    /// tells what is wrong with whatever is there, other tables and functions included. It reads all
    /// catalogues once.
    #[must_use]
    pub fn audited(mut self) -> Self {
        self.audited = true;
        self
    }
}

fn login(name: &'static str, url: &str) -> Result<Login, ConfigError> {
    let mut login: Login = url.parse().map_err(|source| ConfigError::Url {
        login: name,
        source,
    })?;
    if login.get_application_name().is_none() {
        login.application_name("partywall");
    }
    Ok(login)
}
