use std::path::{Path, PathBuf};

use partywall::{Config, Db, Schema};
use partywall_embedded::{Server, Settings};
use tokio_postgres::{Client, NoTls};

use super::{prepare, warm};
use crate::{arguments::Arguments, delay::Delay, model::schema, outcome::Outcome, table};

/// The password of every login but the superuser's.
pub(crate) const PASSWORD: &str = "partywall-bench";

/// The login that owns the tables.
pub(crate) const OWNER: &str = "bench_owner";

/// The login of those who set the context with `set_config`.
pub(crate) const PEER: &str = "bench_peer";

/// The server, its data, and the schemas that its databases have.
#[derive(Debug)]
pub(crate) struct World {
    server: Server,
    sealed: Schema,
    unsealed: Schema,
}

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// With policies that read a sealed context.
    Sealed,
    /// With policies that read the context as it stands.
    Unsealed,
    /// With the one policy that others make: `tenant_id = current_setting(…)`.
    Peer,
}

impl Data {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sealed => "bench_sealed",
            Self::Unsealed => "bench_unsealed",
            Self::Peer => "bench_peer",
        }
    }
}

impl World {
    /// Starts the server; makes and fills the databases where they are missing or outdated. Those of
    /// the people are made by who measures them.
    pub(crate) async fn open(arguments: &Arguments) -> Outcome<Self> {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.partywall/bench");
        // Six pools of the largest size anyone would try, and what is closing still.
        let settings = Settings::new(home)
            .parameter("shared_buffers", "1GB")
            .parameter("max_connections", "600")
            .parameter("max_wal_size", "4GB")
            .parameter("checkpoint_timeout", "1h")
            .parameter("autovacuum", "off")
            .parameter("jit", "off");
        let server = tokio::task::spawn_blocking(move || Server::start(&settings)).await??;
        let world = Self {
            server,
            sealed: schema(true)?,
            unsealed: schema(false)?,
        };
        prepare::logins(&world).await?;
        if arguments.wants_rows() {
            prepare::prepare(&world, arguments.fresh).await?;
            warm::warm(&world).await?;
        }
        Ok(world)
    }

    /// Says what was measured on.
    pub(crate) async fn describe(&self) -> Outcome {
        let client = self.superuser("postgres").await?;
        let version: String = client
            .query_one("SHOW server_version", &[])
            .await?
            .try_get(0)?;
        table::heading("Where");
        println!(
            "{}, PostgreSQL {version} with 1 GB of shared buffers, {} cores, load {}",
            chrono::Utc::now().format("%Y-%m-%d %H:%M UTC"),
            std::thread::available_parallelism()?,
            std::fs::read_to_string("/proc/loadavg")
                .unwrap_or_else(|_| "unknown".to_owned())
                .trim(),
        );
        Ok(())
    }

    pub(crate) fn schema(&self, data: Data) -> &Schema {
        match data {
            Data::Unsealed => &self.unsealed,
            Data::Sealed | Data::Peer => &self.sealed,
        }
    }

    /// A connection string, by way of the slow wire where one is given.
    pub(crate) fn url(&self, login: &str, data: Data, by: Option<&Delay>) -> Outcome<String> {
        by_way_of(self.server.url(login, PASSWORD, data.name()), by)
    }

    /// The superuser's connection string: for statements that no policy holds.
    pub(crate) fn superuser_url(&self, data: Data, by: Option<&Delay>) -> Outcome<String> {
        by_way_of(self.server.superuser_url(data.name()), by)
    }

    /// A connection string to a database by name.
    pub(crate) fn url_of(
        &self,
        login: &str,
        database: &str,
        by: Option<&Delay>,
    ) -> Outcome<String> {
        by_way_of(self.server.url(login, PASSWORD, database), by)
    }

    /// The superuser's connection string to a database by name.
    pub(crate) fn superuser_url_of(&self, database: &str, by: Option<&Delay>) -> Outcome<String> {
        by_way_of(self.server.superuser_url(database), by)
    }

    /// Connects as the application does, with a given number of connections.
    pub(crate) async fn db(&self, data: Data, by: Option<&Delay>, pool: usize) -> Outcome<Db> {
        let schema = self.schema(data);
        let roles = schema.roles();
        let config = Config::new(schema, &self.url(roles.app(), data, by)?)?
            .list_login(&self.url(roles.list(), data, by)?)?
            .pool_size(pool);
        Ok(Db::connect(config).await?)
    }

    /// One connection of the superuser's.
    pub(crate) async fn superuser(&self, database: &str) -> Outcome<Client> {
        connect(&self.server.superuser_url(database)).await
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.server
            .socket_dir()
            .join(format!(".s.PGSQL.{}", self.server.port()))
    }

    pub(crate) fn postmaster(&self) -> u32 {
        self.server.pid()
    }
}

/// Opens one connection outside of every pool.
pub(crate) async fn connect(url: &str) -> Outcome<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Puts the proxy's folder in the place of the server's.
fn by_way_of(url: String, by: Option<&Delay>) -> Outcome<String> {
    let Some(delay) = by else { return Ok(url) };
    let (login, rest) = url.split_once('@').ok_or("the URL has no login")?;
    let (_, rest) = rest.rsplit_once(':').ok_or("the URL has no port")?;
    let directory = delay
        .directory()
        .to_str()
        .ok_or("the folder is not UTF-8")?;
    Ok(format!("{login}@{}:{rest}", directory.replace('/', "%2F")))
}
