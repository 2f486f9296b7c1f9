//! A database of a test's own, with roles of its own: roles are the whole server's.

use std::sync::{
    LazyLock,
    atomic::{AtomicU32, Ordering},
};

use partywall_embedded::{Server, Settings};
use tokio_postgres::{Client, NoTls};

/// What PostgreSQL ends with this process.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let settings = Settings::temporary()
        .parameter("max_connections", "300")
        .parameter("wal_level", "logical");
    Server::start(&settings).expect("PostgreSQL starts")
});

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A database of one test.
pub(crate) struct Database {
    number: u32,
}

impl Database {
    /// Makes an empty one.
    pub(crate) async fn empty() -> Self {
        let it = Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        };
        let admin = connect(&SERVER.superuser_url("postgres")).await;
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
        SERVER.superuser_url(&self.name())
    }

    pub(crate) async fn superuser(&self) -> Client {
        connect(&self.superuser_url()).await
    }

    /// Connects as a role, which must have the password `secret`.
    #[allow(dead_code, reason = "for the attacks")]
    pub(crate) async fn login(&self, role: &str) -> Client {
        connect(&SERVER.url(&self.role(role), "secret", &self.name())).await
    }
}

/// Connects, and drives the connection in the background.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
