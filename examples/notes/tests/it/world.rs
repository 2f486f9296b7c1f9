//! An application of a test's own, on a database of its own, in one server for all tests.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use notes::{Database, Place, Serving};
use partywall::identity::{Mailer, Settings};
use partywall_embedded::Server;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::browser::Browser;

pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let settings = partywall_embedded::Settings::temporary();
        Server::start(&settings.parameter("max_connections", "300")).unwrap()
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
    /// Connections of the superuser that no test uses at the moment.
    idle: Mutex<Vec<Client>>,
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
        Self::on(database, place, playground, |_| {})
    }

    /// With other limits and times: `World::tuned(|settings| settings.attempts = 3)`.
    pub fn tuned(tune: impl FnOnce(&mut Settings)) -> Self {
        let place = Self::place();
        let database = runtime().block_on(Database::open(&place, false)).unwrap();
        Self::on(database, place, false, tune)
    }

    /// Without the seal.
    pub fn unsealed() -> Self {
        let place = Self::place();
        let database = runtime().block_on(Database::open_unsealed(&place)).unwrap();
        Self::on(database, place, true, |_| {})
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

    fn on(
        database: Database,
        place: Place,
        playground: bool,
        tune: impl FnOnce(&mut Settings),
    ) -> Self {
        let serving = runtime().block_on(async {
            let listener = Serving::bind(0).await.unwrap();
            let mut settings = notes::settings(listener.local_addr().unwrap());
            // All tests come from one address.
            settings.attempts = 10_000;
            tune(&mut settings);
            let mailer = Mailer::folder(place.folder.join("mail")).unwrap();
            Serving::start(listener, &database, playground, settings, mailer)
                .await
                .unwrap()
        });
        let url = format!("http://{}", serving.address());
        Self {
            url,
            password: database.password().to_owned(),
            place,
            database,
            idle: Mutex::default(),
            _serving: serving,
        }
    }

    pub fn anonymous(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// Signed in: `world.user("bob")`. Twice is two browsers of one person.
    pub fn user(&self, name: &str) -> Browser {
        let mut browser = self.anonymous();
        browser.sign_in(&format!("{name}@example.com"), &self.password);
        browser
    }

    /// Runs SQL as the superuser and collects the rows, their columns joined by `|`.
    pub fn sql(&self, sql: &str) -> Vec<String> {
        let idle = self.idle.lock().unwrap().pop();
        let client = idle
            .filter(|client| !client.is_closed())
            .unwrap_or_else(|| runtime().block_on(connect(self.database.superuser_url())));
        let rows = runtime().block_on(rows(&client, sql));
        self.idle.lock().unwrap().push(client);
        rows
    }

    /// The first row; empty where there is none.
    pub fn one(&self, sql: &str) -> String {
        self.sql(sql).into_iter().next().unwrap_or_default()
    }

    /// The id of a tenant: `world.tenant("acme")`.
    pub fn tenant(&self, slug: &str) -> String {
        self.one(&format!(
            "SELECT id FROM identity.tenant WHERE slug = '{slug}'"
        ))
    }

    /// The id of a person: `world.person("bob")`.
    pub fn person(&self, name: &str) -> String {
        self.one(&format!(
            "SELECT id FROM identity.\"user\" WHERE email = '{name}@example.com'"
        ))
    }

    /// The id of somebody's account in a tenant: `world.account("bob", "acme")`.
    pub fn account(&self, name: &str, slug: &str) -> String {
        self.one(&format!(
            "SELECT a.id FROM identity.account a JOIN identity.tenant t ON t.id = a.tenant_id \
             JOIN identity.\"user\" u ON u.id = a.user_id \
             WHERE u.email = '{name}@example.com' AND t.slug = '{slug}'"
        ))
    }

    /// The id of some note of a tenant.
    pub fn note(&self, slug: &str) -> String {
        self.one(&format!(
            "SELECT n.id FROM note n JOIN identity.tenant t ON t.id = n.tenant_id \
             WHERE t.slug = '{slug}' ORDER BY 1 LIMIT 1"
        ))
    }

    /// The ids of some note of a tenant that has comments, and of one of them.
    pub fn comment(&self, slug: &str) -> (String, String) {
        let both = self.one(&format!(
            "SELECT c.note_id, c.id FROM comment c JOIN note n ON n.id = c.note_id \
             JOIN identity.tenant t ON t.id = n.tenant_id WHERE t.slug = '{slug}' ORDER BY 2 LIMIT 1"
        ));
        let (note, comment) = both.split_once('|').unwrap();
        (note.to_owned(), comment.to_owned())
    }

    /// A hash of all notes and comments.
    pub fn written(&self) -> String {
        self.one(
            "SELECT md5(string_agg(r, '' ORDER BY r)) FROM (\
               SELECT n::text AS r FROM note n UNION ALL SELECT c::text FROM comment c) rows",
        )
    }

    /// Gives somebody another of the built-in roles in a tenant, past all rules.
    pub fn give_role(&self, name: &str, slug: &str, builtin: &str) {
        let account = self.account(name, slug);
        self.sql(&format!(
            "DELETE FROM identity.account_role WHERE account_id = '{account}'; \
             INSERT INTO identity.account_role (account_id, role_id, tenant_id) \
             SELECT '{account}', r.id, r.tenant_id FROM identity.role r \
             JOIN identity.tenant t ON t.id = r.tenant_id \
             WHERE t.slug = '{slug}' AND r.builtin = '{builtin}'"
        ));
    }

    /// Lets time pass for whatever the database keeps times of: `world.pass("31 minutes")`.
    pub fn pass(&self, time: &str) {
        let updates = self.sql(
            "SELECT format('UPDATE %I.%I SET %s', table_schema, table_name, \
               string_agg(format('%1$I = %1$I - interval {time}', column_name), ', ')) \
             FROM information_schema.columns \
             WHERE table_schema = 'identity' AND data_type = 'timestamp with time zone' \
             GROUP BY table_schema, table_name",
        );
        for update in updates {
            self.sql(&update.replace("{time}", &format!("'{time}'")));
        }
    }

    /// The mails to an address, the newest last: subject and text.
    pub fn mail(&self, address: &str) -> Vec<(String, String)> {
        let reply = self.anonymous().with("accept", "application/json");
        let mails = reply.get("/dev/mail").is(200).json();
        let mails = mails["items"].as_array().unwrap().iter().rev();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        mails
            .filter(|mail| text(&mail["to"]).eq_ignore_ascii_case(address))
            .map(|mail| (text(&mail["subject"]), text(&mail["body"])))
            .collect()
    }
}

/// A new id in its canonical form: of nothing.
pub fn nothing() -> String {
    uuid::Uuid::now_v7().to_string()
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn rows(client: &Client, sql: &str) -> Vec<String> {
    let messages = client
        .simple_query(sql)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|n| row.get(n).unwrap_or(""))
                    .collect::<Vec<_>>()
                    .join("|"),
            ),
            SimpleQueryMessage::CommandComplete(_) | SimpleQueryMessage::RowDescription(_) | _ => {
                None
            }
        })
        .collect()
}

/// Runs SQL on a connection of its own, which is gone afterwards.
pub fn query(url: &str, sql: &str) -> Vec<String> {
    runtime().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        let rows = rows(&client, sql).await;
        drop(client);
        let _ = driver.await;
        rows
    })
}
