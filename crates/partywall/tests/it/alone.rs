//! A server of a test's own, for what concerns a whole server: its end, its network, all of its roles.

use std::net::TcpListener;

use partywall::{
    Schema,
    schema::{ApplyError, Passwords},
};
use partywall_embedded::{Server, Settings};
use tokio_postgres::Client;

use crate::{models::schema, probe::session};

/// A server with a database `blog`, to which the tests' schema was applied.
pub struct Alone {
    pub server: Server,
    pub schema: Schema,
    /// A superuser's session in the database.
    pub admin: Client,
}

impl Alone {
    pub async fn start(settings: &Settings) -> Self {
        Self::on(Server::start(settings).unwrap()).await
    }

    async fn on(server: Server) -> Self {
        let schema = schema();
        let admin = session(&server.superuser_url("postgres")).await;
        for sql in [
            "CREATE ROLE blog_owner LOGIN PASSWORD 'o'",
            "CREATE DATABASE blog OWNER blog_owner",
        ] {
            admin.batch_execute(sql).await.unwrap();
        }
        let admin = session(&server.superuser_url("blog")).await;
        let alone = Self {
            server,
            schema,
            admin,
        };
        alone.apply_to("blog").await.unwrap();
        alone
    }

    /// Starts on a port of 127.0.0.1 that was free a moment ago. Where another program was faster, on
    /// another one.
    pub async fn listening() -> Self {
        let mut tried = Vec::new();
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            match Server::start(&Settings::temporary().listen(port)) {
                Ok(server) => return Self::on(server).await,
                Err(error) => tried.push(error),
            }
        }
        panic!("no port is free: {tried:?}")
    }

    pub async fn apply_to(&self, database: &str) -> Result<(), ApplyError> {
        let password = || "p".to_owned();
        let passwords = Passwords {
            app: password(),
            list: password(),
            across: password(),
            identity: password(),
        };
        let superuser = self.server.superuser_url(database);
        self.schema.bootstrap(&superuser, &passwords).await?;
        let owner = self.server.url("blog_owner", "o", database);
        self.schema.apply(&owner).await.map(drop)
    }

    /// The application login's connection string, through the socket.
    pub fn url(&self) -> String {
        self.server.url("blog_app", "p", "blog")
    }
}
