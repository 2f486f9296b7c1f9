//! An application of a test's own, on a database of its own, in one server for all tests.

use std::{
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use notes::{Database, Place, Serving};
use partywall_embedded::{Server, Settings};
use tokio::runtime::Runtime;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::browser::Browser;

pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        Server::start(&Settings::temporary().parameter("max_connections", "300")).unwrap()
    })
}

/// An empty folder of a test's own.
pub fn folder(name: &str) -> PathBuf {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub struct World {
    pub url: String,
    pub password: String,
    pub place: Place,
    pub database: Database,
    /// Ends when it is dropped.
    _serving: Serving,
}

impl World {
    /// One for all tests that do not mind the others.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<World> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(false))
    }

    pub fn start(playground: bool) -> Self {
        let place = Self::place();
        let database = runtime().block_on(Database::open(&place, false)).unwrap();
        Self::on(database, place, playground)
    }

    /// Without the seal.
    pub fn unsealed() -> Self {
        let place = Self::place();
        let database = runtime().block_on(Database::open_unsealed(&place)).unwrap();
        Self::on(database, place, true)
    }

    /// A database that is still empty.
    pub fn place() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("notes_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let server = server();
        query(
            &server.superuser_url("postgres"),
            &format!("CREATE DATABASE {name}"),
        );
        Place {
            folder: folder(&name),
            url: Some(server.superuser_url(&name)),
        }
    }

    fn on(database: Database, place: Place, playground: bool) -> Self {
        let serving = runtime().block_on(async {
            let listener = Serving::bind(0).await.unwrap();
            Serving::start(listener, &database, playground)
                .await
                .unwrap()
        });
        let url = format!("http://{}", serving.address());
        Self {
            url,
            password: database.password().to_owned(),
            place,
            database,
            _serving: serving,
        }
    }

    pub fn anonymous(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// Signed in: `world.user("bob")`.
    pub fn user(&self, name: &str) -> Browser {
        let mut browser = self.anonymous();
        browser.sign_in(&format!("{name}@example.com"), &self.password);
        browser
    }

    /// Runs SQL as the superuser and collects the rows, their columns joined by `|`.
    pub fn sql(&self, sql: &str) -> Vec<String> {
        query(self.database.superuser_url(), sql)
    }

    pub fn one(&self, sql: &str) -> String {
        self.sql(sql).into_iter().next().unwrap_or_default()
    }
}

pub fn query(url: &str, sql: &str) -> Vec<String> {
    runtime().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        let messages = client
            .simple_query(sql)
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        drop(client);
        let _ = driver.await;
        messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(
                    (0..row.len())
                        .map(|n| row.get(n).unwrap_or(""))
                        .collect::<Vec<_>>()
                        .join("|"),
                ),
                SimpleQueryMessage::CommandComplete(_)
                | SimpleQueryMessage::RowDescription(_)
                | _ => None,
            })
            .collect()
    })
}
