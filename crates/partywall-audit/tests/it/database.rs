//! A database of a test's own, with roles of its own: roles are the whole server's.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use partywall_embedded::{Server, Settings};
use tokio_postgres::{Client, NoTls};

/// The servers of this process, which end with it: the one that is found, and one of each version asked for.
static SERVERS: LazyLock<Mutex<BTreeMap<Option<u16>, &'static Server>>> =
    LazyLock::new(Mutex::default);

static NEXT: AtomicU32 = AtomicU32::new(1);

/// Where `scripts/setup-postgresql-versions.sh` puts a version.
fn bin_dir(major: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../.partywall/postgresql-{major}/bin"))
}

/// The versions that there are on this machine, besides the one that is found.
pub(crate) fn versions() -> Vec<u16> {
    let versions: Vec<u16> = (13..=18).filter(|major| bin_dir(*major).exists()).collect();
    assert!(
        !versions.is_empty(),
        "the versions of PostgreSQL are missing: run `scripts/setup-postgresql-versions.sh`"
    );
    versions
}

fn server(major: Option<u16>) -> &'static Server {
    let mut servers = SERVERS.lock().unwrap();
    servers.entry(major).or_insert_with(|| {
        let mut settings = Settings::temporary()
            .parameter("max_connections", "300")
            .parameter("wal_level", "logical");
        if let Some(major) = major {
            settings = settings.bin_dir(bin_dir(major)).any_version();
        }
        Box::leak(Box::new(
            Server::start(&settings).expect("PostgreSQL starts"),
        ))
    })
}

/// A database of one test.
pub(crate) struct Database {
    number: u32,
    server: &'static Server,
}

impl Database {
    /// Makes an empty one.
    pub(crate) async fn empty() -> Self {
        Self::empty_on(None).await
    }

    /// Makes an empty one on a server of some major version.
    pub(crate) async fn empty_on(major: Option<u16>) -> Self {
        let it = Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            server: server(major),
        };
        let admin = connect(&it.server.superuser_url("postgres")).await;
        admin
            .batch_execute(&format!("CREATE DATABASE {}", it.name()))
            .await
            .unwrap();
        it
    }

    /// Makes one and runs SQL in it as the superuser: see [`fill`](Self::fill).
    pub(crate) async fn with(sql: &str) -> Self {
        let it = Self::empty().await;
        it.run(sql).await;
        it
    }

    fn name(&self) -> String {
        format!("audit_{}", self.number)
    }

    /// Gives the roles of a text names that no other database uses: `{app}` becomes `app_17`.
    pub(crate) fn fill(&self, sql: &str) -> String {
        let mut filled = String::with_capacity(sql.len());
        let mut rest = sql;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            match after.split_once('}') {
                Some((name, behind))
                    if !name.is_empty()
                        && name.chars().all(|c| c.is_ascii_lowercase() || c == '_') =>
                {
                    filled.push_str(&format!("{name}_{}", self.number));
                    rest = behind;
                }
                _ => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled + rest
    }

    /// The name of a role in this database: `app` is `app_17`.
    pub(crate) fn role(&self, name: &str) -> String {
        format!("{name}_{}", self.number)
    }

    /// Runs SQL as the superuser.
    pub(crate) async fn run(&self, sql: &str) {
        let sql = self.fill(sql);
        if let Err(error) = self.superuser().await.batch_execute(&sql).await {
            panic!("{error:?}\nin\n{sql}");
        }
    }

    pub(crate) fn superuser_url(&self) -> String {
        self.server.superuser_url(&self.name())
    }

    pub(crate) async fn superuser(&self) -> Client {
        connect(&self.superuser_url()).await
    }

    /// A connection URL of a role, which must have the password `secret`.
    pub(crate) fn url(&self, role: &str) -> String {
        self.server.url(&self.role(role), "secret", &self.name())
    }

    /// Connects as a role, which must have the password `secret`.
    #[allow(dead_code, reason = "for the attacks")]
    pub(crate) async fn login(&self, role: &str) -> Client {
        connect(&self.url(role)).await
    }
}

/// Connects, and drives the connection in the background.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
