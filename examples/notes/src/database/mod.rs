//! The database: an embedded server or one that is told by its URL, brought up to the schema.

mod admin;
mod audit;
mod place;
mod secrets;

use std::io;

use partywall::{
    Config, Db, Schema, Seal, SealKey,
    db::{ConfigError, ConnectError},
    schema::{ApplyError, SchemaError, SealKeyError},
    web::resource::{CursorKey, CursorKeyError},
};
use partywall_embedded::Server;

pub(crate) use audit::AuditFiles;
pub use place::Place;

use crate::{models, seed};
use admin::Admin;
use place::Found;
use secrets::Secrets;

/// The database, open and filled with the sample data.
#[derive(Debug)]
pub struct Database {
    db: Db,
    config: Config,
    secrets: Secrets,
    superuser_url: String,
    /// Stops when it is dropped, so it goes last.
    server: Option<Server>,
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The embedded server.
    #[error(transparent)]
    Server(#[from] partywall_embedded::Error),
    /// The file with the secrets.
    #[error("the secrets in `{path}` cannot be {what}")]
    Secrets {
        /// Which file.
        path: String,
        /// Read or written.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The machine has no randomness to give.
    #[error("the machine gives no random numbers")]
    Random(#[from] getrandom::Error),
    /// The seal key in the file is damaged.
    #[error("the seal key in the secrets is damaged: start anew with --reset")]
    SealKey(#[from] SealKeyError),
    /// The database's name cannot be part of a login's.
    #[error(
        "the database `{0}` names the example's logins, so its name must be at most 50 lower-case letters, digits and `_`"
    )]
    Name(String),
    /// Somebody else's tables.
    #[error(
        "the database `{0}` holds tables that are not the example's: give it a database of its own"
    )]
    Shared(String),
    /// Data of the time before accounts.
    #[error(
        "the data in `{0}` is of an earlier version of this example, which this one cannot read: start anew with --reset, which throws it away"
    )]
    Outdated(String),
    /// The administrator's work.
    #[error("the database refused what its administrator has to do")]
    Admin(#[from] tokio_postgres::Error),
    /// The declarations.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Bringing the database to the schema.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The connection settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The wall found the database unsafe.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The sample data.
    #[error("the sample data cannot be written")]
    Seed(#[from] seed::SeedError),
    /// A background task failed.
    #[error("a task failed")]
    Task(#[from] tokio::task::JoinError),
}

impl Database {
    /// Opens the database, making it if need be.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub async fn open(place: &Place, reset: bool) -> Result<Self, OpenError> {
        Self::open_with(place, reset, true).await
    }

    /// Opens it with unsealed contexts, to see in a test what the seal is good for.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    #[doc(hidden)]
    pub async fn open_unsealed(place: &Place) -> Result<Self, OpenError> {
        Self::open_with(place, false, false).await
    }

    async fn open_with(place: &Place, reset: bool, sealed: bool) -> Result<Self, OpenError> {
        let found = Found::find(place).await?;
        let admin = Admin::connect(found.superuser_url()).await?;
        let owner = admin.take_over().await?;
        if reset {
            admin.remove_everything(&owner).await?;
        } else if admin.is_outdated().await? {
            return Err(OpenError::Outdated(place.folder.display().to_string()));
        }
        let (secrets, are_new) = Secrets::keep(&place.folder, reset)?;
        let seal = match sealed {
            true => Seal::on(SealKey::from_hex(&secrets.seal_key)?),
            false => Seal::Off,
        };
        let schema = models::schema(admin.database(), seal)?;
        admin.set_password(&owner, &secrets.owner).await?;
        schema
            .bootstrap(found.superuser_url(), &secrets.logins())
            .await?;
        let url = |login: &str, password: &str| found.url(admin.database(), login, password);
        schema.apply(&url(&owner, &secrets.owner)).await?;
        let config = config(&schema, &secrets, url)?;
        let db = Db::connect(config.clone()).await?;
        seed::fill(&db, &secrets.password, are_new).await?;
        let (superuser_url, server) = found.into_parts();
        Ok(Self {
            db,
            config,
            secrets,
            superuser_url,
            server,
        })
    }

    /// The wall.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// What the sample users sign in with.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.secrets.password
    }

    /// What signs the cursors of lists: derived, so that earlier secrets are enough.
    pub(crate) fn cursor_key(&self) -> Result<CursorKey, CursorKeyError> {
        CursorKey::derived(self.secrets.seal_key.as_bytes())
    }

    /// The connection string that goes round the wall.
    #[must_use]
    pub fn superuser_url(&self) -> &str {
        &self.superuser_url
    }

    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    /// Stops the embedded server, if there is one.
    ///
    /// # Errors
    ///
    /// [`OpenError::Server`] when it had ended before.
    pub async fn close(mut self) -> Result<(), OpenError> {
        if let Some(server) = self.server.take() {
            tokio::task::spawn_blocking(|| server.stop()).await??;
        }
        Ok(())
    }
}

fn config(
    schema: &Schema,
    secrets: &Secrets,
    url: impl Fn(&str, &str) -> String,
) -> Result<Config, ConfigError> {
    let roles = schema.roles();
    Config::new(schema, &url(roles.app(), &secrets.app))?
        .list_login(&url(roles.list(), &secrets.list))?
        .across_login(&url(roles.across(), &secrets.across))?
        .identity_login(&url(
            roles.identity().unwrap_or_default(),
            &secrets.identity,
        ))
}
