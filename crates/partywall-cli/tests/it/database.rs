//! A database of a test's own, with roles of its own: roles are the whole server's.

use std::sync::{
    LazyLock,
    atomic::{AtomicU32, Ordering},
};

use partywall_embedded::{Server, Settings};
use tokio_postgres::{Client, NoTls};

/// What PostgreSQL ends with this process.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let settings = Settings::temporary().parameter("max_connections", "200");
    Server::start(&settings).expect("PostgreSQL starts")
});

/// All of one length, so that lines break at the same places.
static NEXT: AtomicU32 = AtomicU32::new(100);

/// Two tenants, acme and globex, with an invoice and a customer each, behind correct policies.
pub(crate) const SHOP: &str = include_str!("shop.sql");

pub(crate) const ACME: &str = "aaaaaaaa-0000-0000-0000-000000000000";
pub(crate) const GLOBEX: &str = "bbbbbbbb-0000-0000-0000-000000000000";

/// The password of the application's role: no output may hold it.
pub(crate) const PASSWORD: &str = "hunter2-s3cret";

/// A database of one test.
pub(crate) struct Database {
    number: u32,
}

impl Database {
    /// Makes the shop, and runs more SQL on top, in which `{app}` is the application's role and `{owner}` the tables'.
    pub(crate) async fn shop(more: &str) -> Self {
        let it = Self::empty().await;
        it.run(SHOP).await;
        it.run(more).await;
        it
    }

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

    pub(crate) fn name(&self) -> String {
        format!("cli_{}", self.number)
    }

    pub(crate) fn role(&self, name: &str) -> String {
        format!("{name}_{}", self.number)
    }

    pub(crate) async fn run(&self, sql: &str) {
        let sql = sql
            .replace("{app}", &self.role("app"))
            .replace("{owner}", &self.role("owner"))
            .replace("{password}", PASSWORD);
        if let Err(error) = self.superuser().await.batch_execute(&sql).await {
            panic!("{error:?}\nin\n{sql}");
        }
    }

    pub(crate) fn url(&self) -> String {
        SERVER.superuser_url(&self.name())
    }

    pub(crate) fn app_url(&self) -> String {
        SERVER.url(&self.role("app"), PASSWORD, &self.name())
    }

    pub(crate) async fn superuser(&self) -> Client {
        connect(&self.url()).await
    }

    /// One number, as the superuser.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.superuser()
            .await
            .query_one(sql, &[])
            .await
            .unwrap()
            .get(0)
    }

    /// Output without what differs from run to run.
    pub(crate) fn same(&self, text: &str) -> String {
        let sockets = SERVER.socket_dir().display().to_string();
        // The first line says which server it is.
        let text = match text.split_once(", PostgreSQL ") {
            Some((before, rest)) => {
                let rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
                format!("{before}, PostgreSQL VERSION\n{rest}")
            }
            None => text.to_owned(),
        };
        text.replace(&sockets, "SOCKETS")
            .replace(&format!("app_{}", self.number), "app")
            .replace(&format!("owner_{}", self.number), "owner")
            .replace(&self.name(), "shop")
    }
}

/// The server of all tests.
pub(crate) fn server() -> &'static Server {
    &SERVER
}

/// The folder with `psql`, to be found by the program.
pub(crate) fn programs() -> String {
    format!(
        "{}:{}",
        SERVER.bin_dir().display(),
        std::env::var("PATH").unwrap_or_default()
    )
}

/// Connects, and drives the connection in the background.
async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
